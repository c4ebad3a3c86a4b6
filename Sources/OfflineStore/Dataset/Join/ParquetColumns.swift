package import Columns
package import Core
internal import Parquet

/// A Parquet file; its pieces are row groups.
package struct ParquetColumns: ColumnSource {
  package let place: String
  package let fields: [(name: String, type: ColumnType)]
  private let file: ParquetFile

  package init(path: String) throws(HeadraceError) {
    place = path
    file = try ParquetFile(try ParquetFileSource(path: path), place: path)
    fields = file.schema.leaves.compactMap { leaf in
      guard leaf.maximumRepetitionLevel == 0, let type = leaf.columnType else { return nil }
      return (leaf.name, type)
    }
  }

  package var pieceCount: Int { file.rowGroups.count }

  package func forEachBatch(
    of piece: Int, columns: [String], _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let reader = try ParquetReader(
      file, source: try ParquetFileSource(path: place), columns: columns, rowGroups: [piece])
    var batch = ColumnBatch(reader.types)
    while try reader.next(into: &batch) { try body(batch) }
  }
}
