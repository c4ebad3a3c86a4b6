internal import ArgumentParser
internal import Core
internal import Logging
internal import OfflineStore
internal import Runtime
internal import Topology

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Do the work of a topology: read its topics, keep its features, serve them over HTTP.",
    discussion: """
      A worker is a member of the consumer group that has the topology's name. More workers share the partitions; each \
      has a data folder of its own. Any of them may be asked for any key: it asks the worker that has the key's \
      partition, found by the topic headrace.instances, and shows it a token of its own (HEADRACE_TOKEN), or the \
      caller's where it has none.

      Models of the topology with a `file` score its events, and answer the Open Inference Protocol under /v2.

      Topics must exist, with as many partitions each; what Headrace needs beside them it makes. SIGTERM drains: \
      requests are answered, partitions given back, the state saved, exit 0. A second signal stops at once.

      Exit codes: 0 stopped as asked; 1 failed; 2 wrong usage; 3 the broker is unreachable; 130 and 143 a second signal.
      """)

  private static let watchMilliseconds = 100

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Worker") var worker: WorkerOptions
  @Option(
    help: ArgumentHelp(
      "Where other workers reach this one's HTTP. (default: the address of --listen; the machine's name for 0.0.0.0)",
      valueName: "host:port"))
  var advertise: String?
  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("The topology.", valueName: "file")) var file: String?
  @Flag(help: "Print the names of the kill points (HEADRACE_KILL_AT=NAME:N) and exit.") var listKillPoints = false

  func validate() throws {
    guard file != nil || listKillPoints else { throw ValidationError("the topology is missing: headrace run FILE") }
    guard worker.data != nil || listKillPoints else {
      throw ValidationError("--data DIR is missing: where the worker's state is kept")
    }
    _ = try Peering(address: advertise)
  }

  func run() async throws {
    if listKillPoints {
      for point in RuntimeKillPoint.allCases { print(point.rawValue) }
      for point in RetrainingKillPoint.allCases { print(point.rawValue) }
      for point in TablePublisher.killPoints { print(point) }
      return
    }
    let plan = try topology.load(file ?? "")
    let runtime = try worker.runtime(connection.clientConfiguration(), dataDirectory: worker.data ?? "")
    let logger = worker.logger
    try PredictionSchemaFiles.write(plan, folder: topology.folder(beside: file ?? ""), logger: logger)
    let process = try await TopologyProcess.start(
      plan, runtime: runtime, serving: worker.listening.serving(), peering: Peering(address: advertise),
      registry: worker.schemaRegistry.client, reports: worker.reports,
      workArguments: connection.arguments + worker.workArguments, logger: logger)
    logger.notice(
      "serving",
      metadata: ["topology": "\(plan.name)", "address": "\(process.address)", "plan": "\(plan.fingerprint)"])
    try worker.listening.tell(process.address)
    let stop = try TerminationSignal.watch()
    while !stop.isRaised, process.failure == nil {
      try await Task.sleep(for: .milliseconds(Self.watchMilliseconds))
    }
    logger.notice("draining", metadata: ["topology": "\(plan.name)"])
    await process.stop()
    if let failure = process.failure { throw failure }
    logger.notice("stopped")
  }
}
