package import Columns
package import Core
package import Delta
package import Storage

/// A Delta table; its pieces are files, in the order of their names.
package struct TableColumns: ColumnSource {
  package let place: String
  package let fields: [(name: String, type: ColumnType)]
  private let table: DeltaTable
  private let files: [DataFile]

  /// - Throws: JOIN_INPUT when there is no such table.
  package init(
    _ store: any BlobStore, name: String, at moment: DeltaTable.Moment = .newest
  ) throws(HeadraceError) {
    guard let table = try DeltaTable.open(store, try BlobName(name), at: moment) else {
      throw HeadraceError(
        .user, "JOIN_INPUT", "there is no table", place: "\(store.place)/\(name)",
        remedy: "name a Parquet file, or a table below the tables' root such as features/VIEW")
    }
    self.table = table
    place = table.place
    files = table.snapshot.files(where: [])
    let scan = try TableScan(table, files: [])
    fields = zip(scan.fields, scan.types).map { ($0.name, $1) }
  }

  package var pieceCount: Int { files.count }

  package func forEachBatch(
    of piece: Int, columns: [String], _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let scan = try TableScan(table, columns: columns, files: [files[piece]])
    var batch = ColumnBatch(scan.types)
    while try scan.next(into: &batch) { try body(batch) }
  }
}
