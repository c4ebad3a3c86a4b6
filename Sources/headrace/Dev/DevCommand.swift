internal import ArgumentParser
internal import Broker
internal import Core
internal import Kafka
internal import Logging
internal import Runtime
internal import Serving
internal import Topology

struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev",
    abstract: "Everything in one process: the embedded log, the workers, the HTTP server.",
    discussion: """
      For a laptop and for CI: no broker, no set-up. Topics that are missing are made, and keep their records for \
      ever. Any Kafka client reaches the log at --kafka; features are at --listen. Several topologies share the \
      log, each on the next port.

      On a terminal it shows what arrives, features, how far behind it is, and where to look next; the log of the \
      process goes to DIR/headrace.log. Elsewhere it writes a line now and then. What is in DIR is found again at the \
      next start. SIGINT and SIGTERM drain: exit 0. A second signal stops at once.
      """)

  @OptionGroup(title: "Worker") var worker: WorkerOptions
  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("Topologies.", valueName: "file")) var files: [String]
  @Option(
    help: ArgumentHelp("Where the log listens; port 0 takes a free one.", valueName: "host:port"))
  var kafka = "127.0.0.1:9092"
  @Option(help: ArgumentHelp("Write the log's HOST:PORT here once it serves.", valueName: "file"))
  var kafkaPortFile: String?
  @Option(help: "How many partitions a topic gets that is made.") var partitions: Int32 = 4

  func validate() throws {
    _ = try HostAndPort.parse(kafka, flag: "--kafka")
    guard !files.isEmpty else { throw ValidationError("the topology is missing: headrace dev FILE") }
    guard (1...1_000).contains(partitions) else {
      throw ValidationError("--partitions \(partitions): expected 1 to 1000")
    }
    let serving = try worker.listening.address()
    guard files.count == 1 || serving.port == 0 || serving.port + files.count - 1 <= Int(UInt16.max) else {
      throw ValidationError("--listen: there are not enough ports for \(files.count) topologies")
    }
  }

  func run() async throws {
    let plans = try files.map { try topology.load($0) }
    let data = worker.data ?? "data"
    try Folder.make(data)
    var view = try DevView(logFile: "\(data)/headrace.log", level: worker.logger.logLevel)
    for (plan, file) in zip(plans, files) {
      try PredictionSchemaFiles.write(plan, folder: topology.folder(beside: file), logger: view.logger)
    }
    let broker = try await startBroker(data, view.logger)
    if let kafkaPortFile { try TextFile.write("\(Self.address(of: broker))\n", to: kafkaPortFile) }
    let serving = try worker.listening.serving()
    let stop = try TerminationSignal.watch()
    var processes: [TopologyProcess] = []
    do {
      for plan in plans {
        processes.append(try await start(plan, number: processes.count, serving, data, broker, view.logger))
      }
      if let first = processes.first { try worker.listening.tell(first.address) }
      try await view.show(processes, bootstrap: Self.address(of: broker), until: stop)
    } catch {
      view.close()
      for process in processes { await process.stop() }
      try? await broker.stop()
      throw error
    }
    view.close()
    for process in processes { await process.stop() }
    try await broker.stop()
    if let failure = processes.lazy.compactMap(\.failure).first { throw failure }
  }

  private func startBroker(_ data: String, _ logger: Logger) async throws -> Broker {
    var configuration = BrokerConfiguration(dataDirectory: "\(data)/log")
    (configuration.host, configuration.port) = try HostAndPort.parse(kafka, flag: "--kafka")
    var logger = logger
    logger[metadataKey: "part"] = "log"
    do {
      return try await Broker.start(configuration, logger: logger)
    } catch var error as HeadraceError where error.code == "CANNOT_LISTEN" {
      error.remedy = "is another broker or `headrace dev` running? --kafka HOST:0 takes a free port"
      throw error
    }
  }

  private func start(
    _ plan: Plan, number: Int, _ serving: ServingConfiguration, _ data: String, _ broker: Broker, _ logger: Logger
  ) async throws -> TopologyProcess {
    var client = ClientConfiguration(bootstrapServers: Self.address(of: broker))
    client.log = { ClientTrouble.note($0) }
    var runtime = try worker.runtime(client, dataDirectory: data)
    runtime.createsSourceTopicsWithPartitions = partitions
    // A file that was edited is what the person at the laptop wants to see.
    runtime.appliesPlan = true
    var serving = serving
    if serving.port != 0 { serving.port += number }
    return try await TopologyProcess.start(
      plan, runtime: runtime, serving: serving, registry: worker.schemaRegistry.client, reports: worker.reports,
      workArguments: ["--bootstrap", Self.address(of: broker), "--data", data] + worker.tableArguments, logger: logger)
  }

  private static func address(of broker: Broker) -> String { "\(broker.host):\(broker.port)" }
}
