internal import ArgumentParser
internal import Core
internal import OfflineStore
internal import Storage

struct DatasetBuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Read a service's features at the time of each label.",
    discussion: """
      Features come from the archived events, by the code that serves them: an event counts for a label when it had \
      happened, and was known, at the label's time. Labels are a Parquet file with a column for each join key, a time, \
      the service's request fields, and whatever else shall go along.

      The result is Parquet files and manifest.json, which names everything that they were made of, and a content \
      hash: the same inputs give the same hash. Nothing that runs is disturbed. Exit codes: 0 done; 1 failed; 2 wrong \
      usage.
      """)

  @Argument(help: "The dataset's name.") var name: String
  @Option(help: ArgumentHelp("The topology.", valueName: "file")) var topology: String
  @Option(help: "The service whose features are wanted.") var service: String
  @Option(help: ArgumentHelp("A Parquet file, one row a label.", valueName: "file")) var labels: String
  @Option(
    help: ArgumentHelp(
      "The column that says when: a timestamp, a date, epoch milliseconds or RFC 3339.", valueName: "column"))
  var labelTime: String
  @Option(help: ArgumentHelp("Leave out labels before it.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("Leave out labels from it on.", valueName: "time")) var to: String?
  @Option(help: ArgumentHelp("time:0.8 or entity:0.8: the share that trains.", valueName: "split")) var split: String?
  @Option(help: ArgumentHelp("false: an event counts from when it happened, known or not.", valueName: "true|false"))
  var asKnown = true
  @OptionGroup var place: TableOptions
  @Option(
    help: ArgumentHelp("Write the dataset there. (default: datasets/NAME/N beside the tables)", valueName: "folder"))
  var out: String?
  @Option(help: "table or json.") var output = OutputFormat.table
  @OptionGroup var schemas: TopologyOptions

  func validate() throws {
    if let split, DatasetSplit(split) == nil {
      throw ValidationError("--split \(split): expected time:SHARE or entity:SHARE with a share between 0 and 1")
    }
    for (flag, text) in [("--from", from), ("--to", to)] {
      if let text, RFC3339.milliseconds(text) == nil {
        throw ValidationError("\(flag) \(text): expected a date or an RFC 3339 time")
      }
    }
  }

  func run() async throws {
    let plan = try schemas.load(topology)
    let specification = try DatasetSpecification(plan, service: service)
    let store = try place.store()
    var configuration = DatasetBuilder.Configuration()
    configuration.isAsKnown = asKnown
    configuration.split = split.flatMap { DatasetSplit($0) } ?? .none
    configuration.fromMilliseconds = from.flatMap { RFC3339.milliseconds($0) }
    configuration.toMilliseconds = to.flatMap { RFC3339.milliseconds($0) }
    let rows = try DatasetLabels(parquet: labels, timeColumn: labelTime)
    let builder = DatasetBuilder(specification, tables: store, configuration: configuration)
    var target = store
    var folder: BlobName?
    var own: DiskBlobStore?
    if let out {
      let disk = try DiskBlobStore(root: out)
      (target, own) = (disk, disk)
    } else {
      folder = try DatasetVersions.next(name, in: store)
    }
    defer { own?.removeTemporaryFolder() }
    let manifest = try builder.build(name: name, labels: rows, labelTime: labelTime, into: target, folder: folder)
    switch output {
    case .json: try StandardOutput.writeAll(manifest.json)
    case .table: try StandardOutput.writeAll(Array(summary(manifest, target, folder).utf8))
    }
  }

  private func summary(_ manifest: DatasetManifest, _ target: any BlobStore, _ folder: BlobName?) -> String {
    var table = Table([("feature", .left), ("type", .left), ("nulls", .right)])
    for field in manifest.fields where field.feature != nil {
      table.append([field.name, field.type, "\(field.nullCount)"])
    }
    let place = folder.map { "\(target.place)/\($0)" } ?? target.place
    return """
      \(table.text)
      \(manifest.rowCount) rows of service \(manifest.service) in \(place)
      content hash \(manifest.contentHash)

      """
  }
}
