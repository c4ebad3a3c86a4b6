internal import ArgumentParser
internal import Core
internal import Kafka
internal import Logging
internal import Runtime
internal import Topology

struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Put a topology in force: running workers switch to it.",
    discussion: """
      Compares the topology with the plan that runs, prints the difference, and writes the new plan to the control \
      topic (headrace.control), from where every worker takes it at an offset that is recorded. New and changed \
      views are built from the log while the others go on.

      A change that would break a service in use is refused; --retire names services that nobody uses any more. \
      \(ExitStatus.help)
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("The topology.", valueName: "file")) var file: String
  @Option(
    name: .customLong("retire"),
    help: ArgumentHelp("A service that nobody uses any more: it may change or go; repeatable.", valueName: "service"))
  var retired: [String] = []
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let client = try connection.clientConfiguration()
    var plan = try topology.load(file)
    let running = try await RunningPlan.read(plan.name, client)
    try running.check(retired: retired)
    if let frozen = running.plan?.document.frozenServices, !frozen.isEmpty {
      plan = try topology.load(file, frozenServices: frozen, showsWarnings: false)
    }
    let problems = plan.check(partitionCounts: running.partitionCounts).filter { $0.severity == .error }
    for problem in problems { StandardError.write("\(problem)") }
    let retention = try await running.retention(of: plan, client)
    for finding in retention { finding.tell() }
    let diff = PlanDiff(old: running.plan, new: plan, retired: Set(retired))
    let report = PlanReport(plan: plan, diff: diff, partitionCounts: running.partitionCounts)
    if diff.isRefused { StandardError.write(report.text) }
    guard problems.isEmpty, retention.worst < .error, !diff.isRefused else {
      StandardError.write("error: not applied: see above")
      throw Ended(status: .failed)
    }
    if running.plan?.fingerprint == plan.fingerprint {
      try show(plan, version: running.version, isNew: false)
      return
    }
    try PredictionSchemaFiles.write(
      plan, folder: topology.folder(beside: file),
      logger: Logger(label: "headrace") { StreamLogHandler.standardError(label: $0) })
    let (new, expected) = (plan, running.version)
    let applied = try await BlockingThread(name: "apply").run {
      try ControlLog(client).apply(new, expectedVersion: expected).version
    }
    if output == .table { try StandardOutput.writeAll(Array(report.text.utf8)) }
    try show(plan, version: applied, isNew: true)
  }

  private func show(_ plan: Plan, version: Int64, isNew: Bool) throws {
    switch output {
    case .table:
      let what = isNew ? "applied" : "in force already"
      try StandardOutput.writeLine("\(plan.name): version \(version), fingerprint \(plan.fingerprint): \(what)")
    case .json:
      var writer = JSONWriter()
      writer.object { writer in
        writer.key("topology")
        writer.string(plan.name)
        writer.key("version")
        writer.number(version)
        writer.key("fingerprint")
        writer.string(plan.fingerprint.description)
        writer.key("applied")
        writer.boolean(isNew)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}
