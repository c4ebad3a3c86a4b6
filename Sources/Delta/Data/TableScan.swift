package import Columns
package import Core
internal import Parquet
internal import Storage

/// Reads the rows of a snapshot, file by file, batch by batch.
package final class TableScan {
  /// The columns of each batch.
  package let fields: [DeltaField]
  package let types: [ColumnType]
  private let store: any BlobStore
  private let root: BlobName
  private var waiting: ArraySlice<DataFile>
  private var current: FileScan?

  /// - Parameters:
  ///   - columns: nil for all.
  ///   - conditions: files without such rows are passed over; the rows of others come as they are.
  ///   - files: nil for those of the snapshot that the conditions leave, in the order of their names.
  /// - Throws: DELTA_NO_COLUMN, DELTA_UNSUPPORTED.
  package init(
    _ table: DeltaTable, columns: [String]? = nil, where conditions: [ColumnCondition] = [], files: [DataFile]? = nil
  ) throws(HeadraceError) {
    let schema = table.snapshot.metadata.schema
    var fields: [DeltaField] = []
    for name in columns ?? schema.fields.map(\.name) {
      guard let field = schema.field(name) else {
        throw .deltaUser("DELTA_NO_COLUMN", "there is no column \"\(name)\"", table.place, remedy: "name a column")
      }
      fields.append(field)
    }
    self.fields = fields
    types = try DeltaSchema(fields).columnTypes(table.place)
    store = table.store
    root = table.root
    waiting = (files ?? table.snapshot.files(where: conditions))[...]
  }

  /// Replaces a batch's content by the next rows.
  ///
  /// - Returns: false at the end.
  package func next(into batch: inout ColumnBatch) throws(HeadraceError) -> Bool {
    while true {
      if try current?.next(into: &batch) ?? false { return true }
      guard let file = waiting.popFirst() else { return false }
      current = try FileScan(file, fields: fields, types: types, store: store, root: root)
    }
  }
}

/// The rows of one file, as columns of the table's schema: those that the file does not have are null.
private final class FileScan {
  private enum Origin {
    case file(Int)
    case constant(Value)
  }

  private let place: String
  private let types: [ColumnType]
  private var origins: [Origin] = []
  private let reader: ParquetReader?
  private var read: ColumnBatch
  /// Of a file of which no column is wanted.
  private var rowsLeft = 0

  private static let constantRowsMax = 8_192

  init(
    _ file: DataFile, fields: [DeltaField], types: [ColumnType], store: any BlobStore, root: BlobName
  ) throws(HeadraceError) {
    let name = try root.appending(file.path.name.text)
    place = "\(store.place)/\(name)"
    self.types = types
    let source = try BlobParquetSource(store: store, name: name, sizeBytes: Int(file.sizeBytes))
    let parquet = try ParquetFile(source, place: place)
    var columns: [String] = []
    for (field, type) in zip(fields, types) {
      if let written = file.partitionValues[field.name] {
        guard let value = PartitionValue.value(written, type) else {
          throw .corruptLog("the partition value \"\(written?.prefix(60) ?? "")\" is no \(type)", place)
        }
        origins.append(.constant(value))
      } else if let leaf = parquet.schema.leaf(field.name) {
        guard leaf.columnType == type else {
          throw .corruptLog(
            "column \"\(field.name)\" is \(leaf.columnType.map { "\($0)" } ?? "of an unknown type") in the file, "
              + "\(type) in the table", place)
        }
        origins.append(.file(columns.count))
        columns.append(field.name)
      } else {
        origins.append(.constant(.null))
      }
    }
    if columns.isEmpty {
      reader = nil
      read = ColumnBatch([])
      rowsLeft = parquet.rowCount
    } else {
      let reader = try ParquetReader(parquet, source: source, columns: columns)
      read = ColumnBatch(reader.types)
      self.reader = reader
    }
  }

  func next(into batch: inout ColumnBatch) throws(HeadraceError) -> Bool {
    let rowCount: Int
    if let reader {
      guard try reader.next(into: &read) else { return false }
      rowCount = read.rowCount
    } else {
      rowCount = min(rowsLeft, Self.constantRowsMax)
      guard rowCount > 0 else { return false }
      rowsLeft -= rowCount
    }
    if batch.columns.map(\.type) != types { batch = ColumnBatch(types) }
    for (index, origin) in origins.enumerated() {
      switch origin {
      case .file(let column): swap(&batch.columns[index], &read.columns[column])
      case .constant(let value): batch.columns[index].fill(value, count: rowCount)
      }
    }
    batch.rowCount = rowCount
    return true
  }
}

extension Column {
  /// The same value `count` times.
  fileprivate mutating func fill(_ value: Value, count: Int) {
    removeAll()
    reserveCapacity(count)
    for _ in 0..<count { _ = append(value) }
  }
}
