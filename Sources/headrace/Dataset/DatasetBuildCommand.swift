internal import ArgumentParser
internal import Core
internal import Kafka
internal import Lineage
internal import Logging
internal import OfflineStore
internal import Storage

struct DatasetBuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Read a service's features at the time of each label.",
    discussion: """
      Features come from the archived events, by the code that serves them: an event counts for a label when it had \
      happened, and was known, at the label's time. Labels are a Parquet file, a table (events/NAME, labels/NAME, or \
      NAME@VERSION of it), or a topic that a source of the topology reads; they have a column for each join key, a \
      time, the service's request fields, and whatever else shall go along.

      Labels with the columns _topic, _partition and _offset name records (those of tables and topics do): of that \
      partition all events up to the record count and none behind it, which is what the stream knew.

      The result is Parquet files and manifest.json, which names everything that they were made of, and a content \
      hash: the same inputs give the same hash, whatever --threads and --memory are. --from-manifest makes a dataset \
      again, from the same versions and offsets, and fails when the hash is another one. Nothing that runs is \
      disturbed. Exit codes: 0 done; 1 failed; 2 wrong usage.
      """)

  @Argument(help: "The dataset's name.") var name: String
  @Option(help: ArgumentHelp("The topology.", valueName: "file")) var topology: String
  @Option(help: "The service whose features are wanted.") var service: String?
  @Option(help: ArgumentHelp("A Parquet file, a table or a topic, one row a label.", valueName: "file|table|topic"))
  var labels: String?
  @Option(
    help: ArgumentHelp(
      "The column that says when: a timestamp, a date, epoch milliseconds or RFC 3339.", valueName: "column"))
  var labelTime: String?
  @Option(
    help: ArgumentHelp(
      "Make the dataset of this manifest again; instead of --service, --labels and what follows.", valueName: "file"))
  var fromManifest: String?
  @Option(help: ArgumentHelp("Leave out labels before it.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("Leave out labels from it on.", valueName: "time")) var to: String?
  @Option(help: ArgumentHelp("time:0.8 or entity:0.8: the share that trains.", valueName: "split")) var split: String?
  @Option(help: ArgumentHelp("false: an event counts from when it happened, known or not.", valueName: "true|false"))
  var asKnown = true
  @Flag(help: "Read events from the log, also where there is an archive.") var fromLog = false
  @OptionGroup var place: TableOptions
  @Option(
    help: ArgumentHelp("Write the dataset there. (default: datasets/NAME/N beside the tables)", valueName: "folder"))
  var out: String?
  @OptionGroup var effort: EffortOptions
  @OptionGroup(title: "Reports") var lineage: LineageOptions
  @Option(help: "table or json.") var output = OutputFormat.table
  @OptionGroup var schemas: TopologyOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  func validate() throws {
    guard !name.isEmpty, !name.contains("/") else {
      throw ValidationError("\"\(name)\" is no name of a dataset: --out DIR says where one goes")
    }
    if let split, DatasetSplit(split) == nil {
      throw ValidationError("--split \(split): expected time:SHARE or entity:SHARE with a share between 0 and 1")
    }
    for (flag, text) in [("--from", from), ("--to", to)] {
      if let text, RFC3339.milliseconds(text) == nil {
        throw ValidationError("\(flag) \(text): expected a date or an RFC 3339 time")
      }
    }
    if let first = from.flatMap({ RFC3339.milliseconds($0) }), let end = to.flatMap({ RFC3339.milliseconds($0) }),
      first >= end
    {
      throw ValidationError("--from must be earlier than --to")
    }
    for (flag, text) in [("--service", service), ("--labels", labels), ("--label-time", labelTime)] {
      if (text == nil) == (fromManifest == nil) {
        throw ValidationError(
          fromManifest == nil ? "\(flag) is missing" : "\(flag) does not go with --from-manifest, which says it")
      }
    }
    if fromManifest != nil, split != nil || from != nil || to != nil || !asKnown || fromLog {
      throw ValidationError(
        "--from-manifest says everything about the dataset: only --out and where things are go along")
    }
    if out == nil, !place.isGiven { throw ValidationError("--out DIR, --data DIR or --tables PLACE is missing") }
  }

  func run() async throws {
    let rebuilt = try fromManifest.map { path in
      try DatasetManifest(Array(try TextFile.read(path).utf8), place: path)
    }
    let plan = try schemas.load(topology)
    let specification = try DatasetSpecification(plan, service: rebuilt?.service ?? service ?? "")
    if let rebuilt, rebuilt.serviceFingerprint != specification.serviceFingerprint {
      throw HeadraceError(
        .user, "DATASET_SERVICE", "service `\(rebuilt.service)` is another one in this topology", place: topology,
        remedy: "use the topology that the dataset was made with")
    }
    let tables = place.isGiven ? try place.store() : nil
    let client = try connection.clientConfiguration()
    let sources = DatasetSources(plan: plan, tables: tables, client: client, rebuilt: rebuilt)
    let work = DatasetBuild(
      command: self, specification: specification, sources: sources, configuration: try configuration(rebuilt))
    let job = LineageJob(namespace: lineage.configuration.namespace, name: "dataset.\(name)", kind: .dataset)
    let logger = Logger(label: "headrace") { StreamLogHandler.standardError(label: $0) }
    let (manifest, target) = try await LineageExport.report(job, lineage.configuration, logger: logger) {
      // Disks and brokers are waited for: no work for a thread of Swift's pool.
      let (manifest, target) = try await BlockingThread(name: "dataset").run { try work.run() }
      return (
        (manifest, target), manifest.lineageInputs(tables: tables?.place, bootstrapServers: client.bootstrapServers),
        [manifest.lineage(place: target)]
      )
    }
    if let rebuilt, rebuilt.contentHash != manifest.contentHash {
      throw HeadraceError(
        .external, "DATASET_NOT_REPRODUCED",
        "the content hash is \(manifest.contentHash), the manifest says \(rebuilt.contentHash)", place: target,
        remedy: "see what differs with `headrace dataset diff`; labels in a file may have changed")
    }
    switch output {
    case .json: try StandardOutput.writeAll(manifest.json)
    case .table: try StandardOutput.writeAll(Array(summary(manifest, target).utf8))
    }
  }

  private func configuration(_ rebuilt: DatasetManifest?) throws -> DatasetBuilder.Configuration {
    var configuration = DatasetBuilder.Configuration()
    configuration.threadCount = try effort.threadCount()
    configuration.memoryBytes = try effort.memoryBytes()
    configuration.isAsKnown = rebuilt?.isAsKnown ?? asKnown
    configuration.split = rebuilt?.split ?? split.flatMap { DatasetSplit($0) } ?? .none
    configuration.fromMilliseconds = rebuilt?.fromMilliseconds ?? from.flatMap { RFC3339.milliseconds($0) }
    configuration.toMilliseconds = rebuilt?.toMilliseconds ?? to.flatMap { RFC3339.milliseconds($0) }
    return configuration
  }

  private func summary(_ manifest: DatasetManifest, _ place: String) -> String {
    var table = Table([("feature", .left), ("type", .left), ("nulls", .right)])
    for field in manifest.fields where field.feature != nil {
      table.append([field.name, field.type, "\(field.nullCount)"])
    }
    return """
      \(table.text)
      \(manifest.rowCount) rows of service \(manifest.service) in \(place)
      content hash \(manifest.contentHash)

      """
  }
}

/// One build, on a thread that may block.
private struct DatasetBuild: Sendable {
  let name: String
  let labels: String
  let labelTime: String
  let out: String?
  let fromLog: Bool
  let specification: DatasetSpecification
  let sources: DatasetSources
  let configuration: DatasetBuilder.Configuration

  init(
    command: DatasetBuildCommand, specification: DatasetSpecification, sources: DatasetSources,
    configuration: DatasetBuilder.Configuration
  ) {
    name = command.name
    labels = command.labels ?? ""
    labelTime = sources.rebuilt?.labelTime ?? command.labelTime ?? ""
    out = command.out
    fromLog = command.fromLog
    self.specification = specification
    self.sources = sources
    self.configuration = configuration
  }

  /// - Returns: the manifest, and where the dataset is.
  func run() throws(HeadraceError) -> (DatasetManifest, String) {
    let rows = try sources.labels(labels)
    let events = try sources.events(of: specification, fromLog: fromLog)
    let builder = DatasetBuilder(specification, configuration: configuration)
    if let out {
      let disk = try DiskBlobStore(root: out)
      defer { disk.removeTemporaryFolder() }
      let manifest = try builder.build(
        name: name, labels: rows, labelTime: labelTime, events: events, into: disk, folder: nil)
      if let tables = sources.tables { try DatasetPins.leave(manifest, in: tables) }
      return (manifest, out)
    }
    let tables = try sources.requireTables()
    try DatasetVersions.removeAbandoned(name, in: tables, nowMilliseconds: WallClock.system.nowMilliseconds)
    let folder = try DatasetVersions.next(name, in: tables)
    let manifest = try builder.build(
      name: name, labels: rows, labelTime: labelTime, events: events, into: tables, folder: folder)
    return (manifest, "\(tables.place)/\(folder)")
  }
}
