internal import ArgumentParser
internal import Core
internal import Kafka
internal import Logging
internal import Runtime
internal import Storage
internal import Telemetry

/// What a process that does the work of a topology can be told: the same flags on `run` and `dev`.
struct WorkerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder of all local state; made when missing. `run` needs it, `dev` takes ./data.", valueName: "folder"))
  var data: String?
  @OptionGroup var listening: ListenOptions
  @Option(help: ArgumentHelp("Threads that read and apply. (default: 1)", valueName: "n")) var workers: Int?
  @Option(
    help: ArgumentHelp("How often outputs and offsets are committed. (default: 100ms)", valueName: "duration"))
  var commitInterval: String?
  @Option(help: ArgumentHelp("How often the state is saved. (default: 10s)", valueName: "duration"))
  var checkpointInterval: String?
  @Option(
    help: ArgumentHelp(
      "Where tables are: a folder, s3://BUCKET/PREFIX, or none. (default: tables in --data)", valueName: "place"))
  var tables: String?
  @Option(
    help: ArgumentHelp(
      "Where copies of the state go, from which another machine can start: a folder on another disk, "
        + "s3://BUCKET/PREFIX, or none. (default: the bucket of --tables, else none)", valueName: "place"))
  var snapshots: String?
  @Option(help: ArgumentHelp("How often the state is copied there. (default: 5min)", valueName: "duration"))
  var snapshotInterval: String?
  @Option(help: ArgumentHelp("How old rows may be that are in no table yet. (default: 20s)", valueName: "duration"))
  var tableFreshness: String?
  @Option(
    help: ArgumentHelp(
      "Log so many served vectors a second at most, of each service, for `headrace verify`; 0: none. (default: 1)",
      valueName: "n"))
  var paritySample: Int?
  @Option(help: ArgumentHelp("For rows in memory, all tasks together. (default: 512MiB)", valueName: "size"))
  var memory: String?
  @Option(
    help: ArgumentHelp(
      "Room on the disk of --data that is never used, and as much in a file that is given up in need. (default: 64MiB)",
      valueName: "size"))
  var diskReserve: String?
  @OptionGroup var schemaRegistry: SchemaRegistryOptions
  @Flag(help: "Replace a plan that runs by this one; without it a plan that differs is refused.") var apply = false
  @Flag(help: "Go on from the state's own offset where the group has lost its own: outputs in between may repeat.")
  var acceptStateOffset = false
  @Flag(help: "Go on although records were deleted before they were read: they will be missing.")
  var acceptLostRecords = false
  @OptionGroup(title: "Costs") var prices: PriceOptions
  @Option(help: ArgumentHelp("How often usage is written to the table `usage`. (default: 60s)", valueName: "duration"))
  var usageInterval: String?
  @OptionGroup(title: "Reports") var reports: ReportOptions
  @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "notice"
  @Option(help: "Lines of the log: text or json.") var logFormat = LogFormat.text

  func validate() throws {
    if let workers, !(1...256).contains(workers) { throw ValidationError("--workers \(workers): expected 1 to 256") }
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError(
        "--log-level \(logLevel): expected \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    _ = try milliseconds(commitInterval, "--commit-interval")
    _ = try milliseconds(checkpointInterval, "--checkpoint-interval")
    _ = try milliseconds(tableFreshness, "--table-freshness")
    _ = try milliseconds(snapshotInterval, "--snapshot-interval")
    _ = try milliseconds(usageInterval, "--usage-interval")
    if let paritySample, !(0...10_000).contains(paritySample) {
      throw ValidationError("--parity-sample \(paritySample): expected 0 to 10000 a second")
    }
    if let memory, Quantity.bytes(memory) == nil {
      throw ValidationError("--memory \(memory): expected a size such as 512MiB")
    }
    if let diskReserve, Quantity.bytes(diskReserve) == nil {
      throw ValidationError("--disk-reserve \(diskReserve): expected a size such as 64MiB")
    }
  }

  func runtime(_ client: ClientConfiguration, dataDirectory: String) throws -> RuntimeConfiguration {
    var configuration = RuntimeConfiguration(client: client, dataDirectory: dataDirectory)
    if let workers { configuration.workers = workers }
    if let interval = try milliseconds(commitInterval, "--commit-interval") {
      configuration.commitIntervalMilliseconds = interval
    }
    if let interval = try milliseconds(checkpointInterval, "--checkpoint-interval") {
      configuration.checkpointIntervalMilliseconds = interval
    }
    if tables != "none" { configuration.tableStore = try TableLocation.store(tables, dataDirectory: dataDirectory) }
    configuration.snapshotStore = try snapshotStore(configuration)
    if let interval = try milliseconds(snapshotInterval, "--snapshot-interval") {
      configuration.snapshotIntervalMilliseconds = interval
    }
    if let freshness = try milliseconds(tableFreshness, "--table-freshness") {
      configuration.tableFreshnessMilliseconds = freshness
    }
    if let paritySample { configuration.paritySamplesPerSecond = paritySample }
    if let bytes = memory.flatMap(Quantity.bytes) { configuration.memoryBudgetBytes = Int(clamping: bytes) }
    if let bytes = diskReserve.flatMap(Quantity.bytes) { configuration.diskReserveBytes = Int64(clamping: bytes) }
    if let interval = try milliseconds(usageInterval, "--usage-interval") {
      configuration.usageIntervalMilliseconds = interval
    }
    configuration.prices = try prices.book()
    configuration.telemetry = TelemetryConfiguration(environment: Environment.all)
    configuration.acceptances.stateOffset = acceptStateOffset
    configuration.acceptances.lostRecords = acceptLostRecords
    configuration.appliesPlan = apply
    return configuration
  }

  /// Copies beside the original are none: by default there are some only where tables have another place than the disk.
  private func snapshotStore(_ configuration: RuntimeConfiguration) throws(HeadraceError) -> (any BlobStore)? {
    guard let snapshots else { return tables?.hasPrefix("s3://") ?? false ? configuration.tableStore : nil }
    guard snapshots != "none" else { return nil }
    return try TableLocation.store(snapshots, dataDirectory: configuration.dataDirectory)
  }

  /// Where its folder and its tables are, for the processes that it starts.
  var workArguments: [String] { (data.map { ["--data", $0] } ?? []) + tableArguments }
  var tableArguments: [String] { tables.map { ["--tables", $0] } ?? [] }

  var logger: Logger {
    var logger = Logger(label: "headrace") { [logFormat] label in
      switch logFormat {
      case .text: StreamLogHandler.standardError(label: label)
      case .json: JSONLogHandler(label: label)
      }
    }
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .notice
    return logger
  }

  private func milliseconds(_ text: String?, _ flag: String) throws -> Int64? {
    guard let text else { return nil }
    guard let milliseconds = Quantity.milliseconds(text), (1...86_400_000).contains(milliseconds) else {
      throw ValidationError("\(flag) \(text): expected a duration from 1ms to 24h, such as 100ms or 10s")
    }
    return milliseconds
  }
}
