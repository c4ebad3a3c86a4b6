package import Columns
package import Core
package import Parquet
internal import Storage

/// Writes one data file of one partition. Nobody sees it before a commit names it.
package final class DataFileWriter {
  private let name: BlobName
  private let table: TableMetadata
  private let root: BlobName
  private let partitionValues: [String: String?]
  private let parquet: ParquetWriter
  private let blob: any BlobWriter
  private let fields: [DeltaField]
  /// A NaN has no place in an order: a column with one has no smallest and no largest value.
  private var hasNaN: [Bool]
  package private(set) var rowCount: Int64 = 0

  /// - Parameters:
  ///   - partitionValues: a value for each partition column.
  ///   - label: how the file's name begins.
  package init(
    _ table: DeltaTable, partitionValues: [String: String?] = [:], label: String = "part",
    configuration: ParquetWriterConfiguration = ParquetWriterConfiguration()
  ) throws(HeadraceError) {
    self.table = table.snapshot.metadata
    self.partitionValues = partitionValues
    root = table.root
    fields = self.table.dataFields
    hasNaN = Array(repeating: false, count: fields.count)
    let folders = PartitionValue.folders(self.table.partitionColumns, partitionValues)
    name = try root.appending("\(folders.isEmpty ? "" : "\(folders)/")\(label)-\(UniqueID.random()).parquet")
    var columns: [ParquetField] = []
    for field in fields { columns.append(try field.parquetField(table.place)) }
    parquet = try ParquetWriter(schema: try ParquetSchema(columns), configuration: configuration)
    blob = try table.store.writer(name)
  }

  /// Bytes so far, those included that are not encoded yet.
  package var sizeBytes: Int { parquet.writtenBytes + parquet.bufferedBytes }

  /// - Parameter batch: a column for each column of the table that is no partition column, in the schema's order.
  package func append(_ batch: borrowing ColumnBatch) throws(HeadraceError) {
    try parquet.append(batch)
    for index in fields.indices where !hasNaN[index] && batch.columns[index].type == .double {
      hasNaN[index] = batch.columns[index].doubles.contains { $0.isNaN }
    }
    rowCount += Int64(batch.rowCount)
    try drain()
  }

  /// Completes the file, durably.
  package func finish(nowMilliseconds: Int64) throws(HeadraceError) -> DataFile {
    try parquet.finish()
    try drain()
    let sizeBytes = try blob.finish()
    let relative = try BlobName(name.relative(to: root) ?? name.text)
    return DataFile(
      path: DataFilePath(name: relative), partitionValues: partitionValues, sizeBytes: Int64(sizeBytes),
      modifiedMilliseconds: nowMilliseconds, statistics: statistics())
  }

  /// Gives up the file.
  package func abandon() { blob.abandon() }

  private func drain() throws(HeadraceError) {
    guard parquet.outputBytes > 0 else { return }
    try blob.append(parquet.takeOutput())
  }

  private func statistics() -> String {
    let summaries = parquet.columnSummaries()
    var ranges: [FileStatisticsWriter.ColumnRange] = []
    for (index, (field, summary)) in zip(fields, summaries).enumerated().prefix(table.statisticsColumnCount) {
      ranges.append(
        FileStatisticsWriter.ColumnRange(
          name: field.name, nullCount: Int64(summary.nullCount), minimum: hasNaN[index] ? nil : summary.minimum,
          maximum: hasNaN[index] ? nil : summary.maximum))
    }
    return FileStatisticsWriter.json(rowCount: rowCount, ranges)
  }
}
