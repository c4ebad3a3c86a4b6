internal import ArgumentParser
internal import Broker
internal import Core
internal import Glibc
internal import Kafka
internal import Logging
internal import Monitoring
internal import Runtime
internal import Serving
internal import Topology

struct DemoLoopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loop",
    abstract:
      "The whole life of a model: trained, served, watched, trained again, exchanged when the new one is better.",
    discussion: """
      Events are replayed as fast as it goes through a log, workers, monitors and policies in this one process. The \
      first part trains the first model; from then on drift alarms and the quality on labels that come late make the \
      topology's policy train challengers, which are compared in the shadow and promoted by its gate. The table says \
      how well the served model did, period by period, beside the first one, which is never trained again.

      payments: made-up payments; half-way amounts, channels and what fraud looks like change \
      (topologies/payments_loop.yaml). flights: --events FOLDER with departures.jsonl.gz and arrivals.jsonl.gz \
      (topologies/flights_loop.yaml).

      The same seed gives the same figures. \(ExitStatus.help)
      """)

  @Option(help: "payments or flights.") var topology = LoopScenario.Name.payments
  @Option(help: ArgumentHelp("The folder of the flights' events.", valueName: "folder")) var events: String?
  @Option(help: ArgumentHelp("Other seeds give other payments and other models.", valueName: "n")) var seed: UInt64 = 7
  @Option(
    help: ArgumentHelp("How many days are replayed. (default: 24 of payments, 365 of flights)", valueName: "n"))
  var days: Int64?
  @Option(
    help: ArgumentHelp(
      "Keep everything in this folder, which must be new. (default: none is kept)", valueName: "folder"))
  var data: String?
  @Option(help: ArgumentHelp("Write a report with plots.", valueName: "file")) var html: String?
  @Option(help: ArgumentHelp("The topology's file, if it is not in ./topologies.", valueName: "file")) var file: String?
  @Option(help: "table, or json: one line.") var output = OutputFormat.table
  @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "error"
  @OptionGroup(title: "Reports") var reports: ReportOptions

  func validate() throws {
    if let days, !(4...366).contains(days) { throw ValidationError("--days \(days): expected 4 to 366") }
    if topology == .flights, events == nil {
      throw ValidationError("--events FOLDER is missing: where departures.jsonl.gz and arrivals.jsonl.gz are")
    }
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError("--log-level \(logLevel): expected one of the names of --help")
    }
    if let data, Folder.exists(data) { throw ValidationError("--data \(data): the folder is there already") }
    if let html, unsafe access(html, F_OK) == 0 { throw ValidationError("--html \(html): the file is there already") }
  }

  func run() async throws {
    let plan = try plan()
    let scenario =
      switch topology {
      case .payments: LoopScenario.payments(days: days ?? 24)
      case .flights: LoopScenario.flights(days: days ?? 365)
      }
    if topology == .flights {
      for path in LoopFlights.paths(folder: events ?? "") { try InputFile.check(path) }
    }
    let stop = try TerminationSignal.watch()
    let folder = try LoopFolder(data)
    defer { folder.remove() }
    let (result, history) = try await replay(plan, scenario, stop, folder.path)
    if let html { try NewFile.replace(html, with: Array(LoopPage(result, history).html.utf8)) }
    switch output {
    case .json: try StandardOutput.writeAll(result.json)
    case .table: try StandardOutput.writeAll(Array(result.text.utf8))
    }
  }

  /// Everything in this process: the log, the workers, the monitors, and the thread that replays.
  private func replay(
    _ plan: Plan, _ scenario: LoopScenario, _ stop: StopRequest, _ folder: String
  ) async throws -> (LoopResult, DriftHistory) {
    var logger = Logger(label: "headrace") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .error
    var configuration = BrokerConfiguration(dataDirectory: "\(folder)/log")
    configuration.port = 0
    let broker = try await Broker.start(configuration, logger: logger)
    do {
      var client = ClientConfiguration(bootstrapServers: "\(broker.host):\(broker.port)")
      client.log = { ClientTrouble.note($0) }
      let runtime = try Self.runtime(client, folder)
      var serving = ServingConfiguration()
      serving.port = 0
      let process = try await TopologyProcess.start(
        plan, runtime: runtime, serving: serving, reports: reports, workArguments: nil, logger: logger)
      let setting = LoopRun.Setting(
        scenario: scenario, seed: seed, client: client, runtime: runtime, folder: folder,
        store: try TableLocation.store(nil, dataDirectory: folder), eventsFolder: events ?? "", stop: stop,
        logger: logger)
      let outcome: Result<(LoopResult, DriftHistory), any Error>
      do {
        outcome = .success(
          try await BlockingThread(name: "replay").run { try LoopRun(setting, process).run() })
      } catch {
        outcome = .failure(error)
      }
      await process.stop()
      try await broker.stop()
      return try outcome.get()
    } catch {
      try? await broker.stop()
      throw error
    }
  }

  private static func runtime(_ client: ClientConfiguration, _ folder: String) throws -> RuntimeConfiguration {
    var runtime = RuntimeConfiguration(client: client, dataDirectory: folder)
    runtime.tableStore = try TableLocation.store(nil, dataDirectory: folder)
    runtime.createsSourceTopicsWithPartitions = 1
    runtime.appliesPlan = true
    // A slice is over when its last commit is: it should not wait for the clock.
    runtime.commitIntervalMilliseconds = 20
    // Trainings read the archive: it should not be long behind.
    runtime.checkpointIntervalMilliseconds = 300
    runtime.tableFreshnessMilliseconds = 300
    runtime.paritySamplesPerSecond = 0
    // The clock on the wall decides nothing: no partition is ever idle.
    runtime.idleAfterMilliseconds = Int64.max / 4
    return runtime
  }

  private func plan() throws -> Plan {
    let path = file ?? "topologies/\(topology.rawValue)_loop.yaml"
    guard unsafe access(path, R_OK) == 0 else {
      throw HeadraceError(
        .user, "FILE_ERROR", "the demo's topology is not there", place: path,
        remedy: "run it where the folder `topologies` is, or name the file by --file")
    }
    // The trainer's seed is the demo's.
    let text = try TextFile.read(path).replacing("seed: 7", with: "seed: \(seed)")
    let schemas = SchemaDirectory(folder: TopologyOptions.schemasFolder(beside: path))
    return try TopologyLoader.load(yaml: text, file: path, schemas: schemas).get()
  }
}
