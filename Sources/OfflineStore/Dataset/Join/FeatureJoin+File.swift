internal import Columns
package import Core
internal import Parquet

extension FeatureJoin {
  /// What a join wrote.
  package struct Report: Sendable {
    package var rowCount: Int
    /// By source of features.
    package var matchCounts: [Int]
    package var columnCount: Int
  }

  /// Writes the labels' columns, then those of all features, as one Parquet file.
  ///
  /// - Parameter write: takes the file's bytes, piece by piece.
  /// - Throws: JOIN_COLUMN when two columns have one name.
  package static func write(
    labels: any ColumnSource, features: [any ColumnSource], _ configuration: Configuration,
    to write: (UnsafeRawBufferPointer) throws(HeadraceError) -> Void
  ) throws(HeadraceError) -> Report {
    let join = FeatureJoin(configuration)
    var (names, columns) = try join.wholeColumns(labels)
    var matchCounts: [Int] = []
    for source in features {
      let found = try join.columns(source, for: labels)
      for name in found.names where names.contains(name) {
        throw HeadraceError(
          .user, "JOIN_COLUMN", "column \"\(name)\" is there already", place: source.place,
          remedy: "name the columns that you want by --columns")
      }
      names += found.names
      columns += found.columns
      matchCounts.append(found.matchCount)
    }
    var settings = ParquetWriterConfiguration()
    settings.threadCount = configuration.threadCount
    let schema = try ParquetSchema(zip(names, columns).map { ParquetField.column($0, $1.type) })
    let parquet = try ParquetWriter(schema: schema, configuration: settings)
    let rowCount = columns.first?.count ?? 0
    try parquet.append(ColumnBatch(columns: columns, rowCount: rowCount))
    try unsafe parquet.drain(write)
    try parquet.finish()
    try unsafe parquet.drain(write)
    return Report(rowCount: rowCount, matchCounts: matchCounts, columnCount: names.count)
  }
}
