internal import ArgumentParser
internal import Core
internal import Delta
internal import Kafka
internal import OfflineStore
internal import Storage

struct DatasetJoinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join",
    abstract: "Bring feature rows that exist already to labels, as of each label's time.",
    discussion: """
      For each label the newest feature row of its key counts that is not newer than the label and, with --ttl, not \
      too old; with --known-time only if it was known at the label's time, so that what was corrected later does not \
      leak. Of rows with one time the last counts. Labels without such a row get nulls; labels keep their order.

      Features are Parquet files, or tables below --tables such as features/VIEW. Exit codes: 0 done; 1 failed; \
      2 wrong usage.
      """)

  @Option(help: ArgumentHelp("A Parquet file or a table, one row a label.", valueName: "file|table"))
  var labels: String
  @Option(
    help: ArgumentHelp("Parquet files or tables of feature rows, separated by commas.", valueName: "file|table,…"))
  var features: String
  @Option(help: ArgumentHelp("Key columns, separated by commas; on both sides.", valueName: "column,…")) var on: String
  @Option(help: ArgumentHelp("When a label asks.", valueName: "column")) var labelTime: String
  @Option(help: ArgumentHelp("When a feature row holds from. (default: as --label-time)", valueName: "column"))
  var featureTime: String?
  @Option(help: ArgumentHelp("When a feature row became known.", valueName: "column")) var knownTime: String?
  @Option(help: ArgumentHelp("Older feature rows do not count.", valueName: "duration")) var ttl: String?
  @Option(
    help: ArgumentHelp("Feature columns that are wanted. (default: all but keys and times)", valueName: "column,…"))
  var columns: String?
  @OptionGroup var place: TableOptions
  @Option(help: ArgumentHelp("The Parquet file to write; it must be new.", valueName: "file")) var out: String
  @Option(help: ArgumentHelp("Threads that compute. (default: one for each processor)", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let ttl, Quantity.milliseconds(ttl) == nil {
      throw ValidationError("--ttl \(ttl): expected a duration such as 24h")
    }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads \(threads): expected 1 to 256") }
  }

  func run() async throws {
    var configuration = FeatureJoin.Configuration(
      keys: Self.names(on), labelTime: labelTime, featureTime: featureTime ?? labelTime)
    configuration.knownTime = knownTime
    configuration.maximumAgeMilliseconds = ttl.flatMap(Quantity.milliseconds)
    configuration.columns = columns.map(Self.names)
    if let threads { configuration.threadCount = threads }
    let tables = place.isGiven ? try place.store() : nil
    let (settings, labels, features, out) = (configuration, labels, Self.names(features), out)
    let report = try await BlockingThread(name: "join").run {
      let rows = try Self.source(labels, tables)
      let inputs = try features.map { try Self.source($0, tables) }
      return unsafe try NewFile.write(out) { (write) throws(HeadraceError) in
        unsafe try FeatureJoin.write(labels: rows, features: inputs, settings, to: write)
      }
    }
    let found = report.matchCounts.map { Figures.grouped($0) }.joined(separator: ", ")
    try StandardOutput.writeAll(
      Array("\(Figures.grouped(report.rowCount)) rows, \(report.columnCount) columns; \(found) found\n".utf8))
  }

  private static func names(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }

  private static func source(_ name: String, _ tables: (any BlobStore)?) throws(HeadraceError) -> any ColumnSource {
    if name.hasSuffix(".parquet") { return try ParquetColumns(path: name) }
    guard let tables else {
      throw HeadraceError(
        .user, "TABLES_MISSING", "nobody says where the tables are", place: name,
        remedy: "give --data DIR or --tables PLACE, or the name of a .parquet file")
    }
    let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
    let version = parts.count == 2 ? Int64(parts[1]) : nil
    return try TableColumns(tables, name: parts.first ?? name, at: version.map { .version($0) } ?? .newest)
  }
}
