package import Columns
package import Core
internal import Delta
internal import Parquet
package import Storage

/// The rows that a dataset is made for: an entity's keys, a time, and whatever else shall go along. Read once, batch by
/// batch, by one thread.
package protocol LabelSource: AnyObject {
  var names: [String] { get }
  var types: [ColumnType] { get }
  /// What is read, and which state of it: enough to read the same again.
  var origin: LabelOrigin { get }

  /// Hands over all rows, batch by batch; once.
  func forEachBatch(_ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void) throws(HeadraceError)
}

/// Where labels came from.
package struct LabelOrigin: Sendable, Equatable {
  package enum Kind: String, Sendable { case parquet, table, topic }

  package var kind: Kind
  /// A file, a table below the tables' root, a topic.
  package var place: String
  /// Of a table.
  package var version: Int64?
  /// Of a topic: each partition's first record, and the one behind its last.
  package var offsets: [Int32: Range<Int64>]

  package init(_ kind: Kind, _ place: String, version: Int64? = nil, offsets: [Int32: Range<Int64>] = [:]) {
    self.kind = kind
    self.place = place
    self.version = version
    self.offsets = offsets
  }
}

/// Labels in a Parquet file: its columns without those of lists and maps.
package final class ParquetLabels: LabelSource {
  package let names: [String]
  package let types: [ColumnType]
  package let origin: LabelOrigin
  private let reader: ParquetReader

  package init(path: String) throws(HeadraceError) {
    let source = try ParquetFileSource(path: path)
    let file = try ParquetFile(source, place: path)
    names = file.schema.leaves.filter { $0.maximumRepetitionLevel == 0 }.map(\.name)
    var configuration = ParquetReaderConfiguration()
    configuration.batchRows = 16_384
    reader = try ParquetReader(file, source: source, columns: names, configuration: configuration)
    types = reader.types
    origin = LabelOrigin(.parquet, path)
  }

  package func forEachBatch(
    _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    var batch = ColumnBatch(types)
    while try reader.next(into: &batch) { try body(batch) }
  }
}

/// Labels in a Delta table, in the order of its files' names.
package final class TableLabels: LabelSource {
  package let names: [String]
  package let types: [ColumnType]
  package let origin: LabelOrigin
  private let scan: TableScan

  /// - Parameter version: nil for the newest.
  /// - Throws: LABELS_INVALID when there is no such table.
  package init(_ store: any BlobStore, name: String, version: Int64? = nil) throws(HeadraceError) {
    let moment = version.map { DeltaTable.Moment.version($0) } ?? .newest
    guard let table = try DeltaTable.open(store, try BlobName(name), at: moment) else {
      throw HeadraceError(
        .user, "LABELS_INVALID", "there is no table", place: "\(store.place)/\(name)",
        remedy: "name a Parquet file, a table below the tables' root, or a topic of the topology")
    }
    scan = try TableScan(table)
    names = scan.fields.map(\.name)
    types = scan.types
    origin = LabelOrigin(.table, name, version: table.snapshot.version)
  }

  package func forEachBatch(
    _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    var batch = ColumnBatch(types)
    while try scan.next(into: &batch) { try body(batch) }
  }
}
