internal import ArgumentParser
internal import Core
internal import Kafka
internal import Topology

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Check a topology, and show what it would do.",
    discussion: """
      Prints topics, tasks, repartition topics, views with their tiles and bytes of state for each key, services, and, \
      where a broker answers, the difference to the plan that runs. Nothing is changed. Everything that is wrong with \
      the file is told at once, with file:line:column.

      A change that would break a service in use is refused: exit code 1. \(ExitStatus.help)
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("The topology.", valueName: "file")) var file: String
  @Flag(help: "Do not ask a broker: no partition counts, no difference to what runs.") var offline = false
  @Option(
    name: .customLong("keys"), parsing: .upToNextOption,
    help: ArgumentHelp("Estimate the state of so many keys, such as 100k 1M.", valueName: "n"))
  var keys: [KeyCount] = []
  @Option(
    name: .customLong("retire"),
    help: ArgumentHelp("A service that nobody uses any more: it may change or go; repeatable.", valueName: "service"))
  var retired: [String] = []
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    // What a file is worth is said before anybody is asked; its name tells whom to ask about.
    var plan = try topology.load(file)
    let running = offline ? nil : try await RunningPlan.find(of: plan.name, connection)
    if let frozen = running?.plan?.document.frozenServices, !frozen.isEmpty {
      plan = try topology.load(file, frozenServices: frozen, showsWarnings: false)
    }
    let diff = running?.plan.map { PlanDiff(old: $0, new: plan, retired: Set(retired)) }
    let counts = running?.partitionCounts ?? [:]
    let report =
      keys.isEmpty
      ? PlanReport(plan: plan, diff: diff, partitionCounts: counts)
      : PlanReport(plan: plan, diff: diff, keyCounts: keys.map(\.count), partitionCounts: counts)
    switch output {
    case .table: try StandardOutput.writeAll(Array(report.text.utf8))
    case .json: try StandardOutput.writeAll(report.json + [UInt8(ascii: "\n")])
    }
    let problems = plan.check(partitionCounts: counts)
    for problem in problems { StandardError.write("\(problem)") }
    let retention = try await running?.retention(of: plan, connection.clientConfiguration()) ?? []
    for finding in retention { finding.tell() }
    let isRefused = diff?.isRefused == true
    if isRefused { StandardError.write("error: the change would break a service in use; see above") }
    guard !isRefused, retention.worst < .error, !problems.contains(where: { $0.severity == .error }) else {
      throw Ended(status: .failed)
    }
  }
}

/// `100k`, `1M`, or the number alone.
struct KeyCount: ExpressibleByArgument, Equatable {
  var count: Int

  init?(argument: String) {
    let scale = argument.last.flatMap { ["k": 1_000, "M": 1_000_000][$0] }
    let digits = scale == nil ? argument[...] : argument.dropLast()
    guard let number = Int(digits), number > 0 else { return nil }
    let (count, overflow) = number.multipliedReportingOverflow(by: scale ?? 1)
    guard !overflow else { return nil }
    self.count = count
  }
}
