package import Columns
package import Core
package import Parquet

/// Writes rows into data files, each row into a file of its partition.
package final class TableWriter {
  private let table: DeltaTable
  private let configuration: Configuration
  private let partitionColumns: [Int]
  private let dataColumns: [Int]
  private let types: [ColumnType]
  private var open: [String: DataFileWriter] = [:]
  private var finished: [DataFile] = []

  package struct Configuration: Sendable {
    /// A file that has become so large is closed, and another one begun.
    package var targetBytes = 128 << 20
    /// More partitions at a time close the largest file.
    package var openFilesMax = 64
    /// How the names of files begin.
    package var label = "part"
    package var parquet = ParquetWriterConfiguration()

    package init() {}
  }

  package init(_ table: DeltaTable, _ configuration: Configuration = Configuration()) throws(HeadraceError) {
    self.table = table
    self.configuration = configuration
    let metadata = table.snapshot.metadata
    types = try metadata.schema.columnTypes(table.place)
    partitionColumns = metadata.partitionColumns.compactMap { metadata.schema.index(of: $0) }
    dataColumns = metadata.dataFields.compactMap { metadata.schema.index(of: $0.name) }
  }

  /// - Parameter batch: a column for each column of the table, in the schema's order.
  /// - Throws: DELTA_ROWS_INVALID when the columns are others.
  package func append(_ batch: borrowing ColumnBatch, nowMilliseconds: Int64) throws(HeadraceError) {
    guard batch.columns.map(\.type) == types else {
      throw .deltaUser(
        "DELTA_ROWS_INVALID", "the rows have the columns \(batch.columns.map(\.type)), the table \(types)", table.place,
        remedy: "write a column for each of the table's, in its order")
    }
    guard !partitionColumns.isEmpty else {
      try write(batch, to: [:], key: "", nowMilliseconds: nowMilliseconds)
      return
    }
    for (key, part) in parts(of: batch) {
      try write(part.rows, to: part.values, key: key, nowMilliseconds: nowMilliseconds)
    }
  }

  /// Completes all files, durably.
  ///
  /// - Returns: what a transaction adds.
  package func finish(nowMilliseconds: Int64) throws(HeadraceError) -> [DataFile] {
    for key in open.keys.sorted() { try close(key, nowMilliseconds: nowMilliseconds) }
    defer { finished = [] }
    return finished
  }

  /// Gives up the files that are not complete; complete ones stay as orphans until `vacuum`.
  package func abandon() {
    for writer in open.values { writer.abandon() }
    open = [:]
    finished = []
  }

  private struct Part {
    var values: [String: String?]
    var rows: ColumnBatch
  }

  /// Rows by partition, in the order of the partitions' names.
  private func parts(of batch: borrowing ColumnBatch) -> [(String, Part)] {
    let names = table.snapshot.metadata.partitionColumns
    var parts: [String: Part] = [:]
    for row in 0..<batch.rowCount {
      var values: [String: String?] = [:]
      for (name, column) in zip(names, partitionColumns) {
        values[name] = .some(PartitionValue.text(batch.columns[column].value(row)))
      }
      // Lengths keep apart what a separator could not.
      let key = names.map { name in (values[name] ?? nil).map { "\($0.utf8.count):\($0)" } ?? "-" }.joined()
      var part =
        parts.removeValue(forKey: key) ?? Part(values: values, rows: ColumnBatch(dataColumns.map { types[$0] }))
      for (index, column) in dataColumns.enumerated() {
        part.rows.columns[index].append(row, of: batch.columns[column])
      }
      part.rows.rowCount += 1
      parts[key] = part
    }
    return parts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func write(
    _ rows: borrowing ColumnBatch, to values: [String: String?], key: String, nowMilliseconds: Int64
  ) throws(HeadraceError) {
    if open[key] == nil {
      if open.count >= configuration.openFilesMax,
        let largest = open.max(by: { $0.value.sizeBytes < $1.value.sizeBytes })
      {
        try close(largest.key, nowMilliseconds: nowMilliseconds)
      }
      open[key] = try DataFileWriter(
        table, partitionValues: values, label: configuration.label, configuration: configuration.parquet)
    }
    try open[key]?.append(rows)
    if let size = open[key]?.sizeBytes, size >= configuration.targetBytes {
      try close(key, nowMilliseconds: nowMilliseconds)
    }
  }

  private func close(_ key: String, nowMilliseconds: Int64) throws(HeadraceError) {
    guard let writer = open.removeValue(forKey: key) else { return }
    finished.append(try writer.finish(nowMilliseconds: nowMilliseconds))
  }
}
