/// Columns of equal length. Positions, not names, tell columns apart: a plan resolves names once.
package struct ColumnBatch: Sendable {
  package var columns: [Column]
  package var rowCount: Int

  package init(_ types: [ColumnType]) {
    columns = types.map { Column($0) }
    rowCount = 0
  }

  package init(columns: [Column], rowCount: Int) {
    self.columns = columns
    self.rowCount = rowCount
  }

  /// Empties the batch; its columns keep their capacity.
  package mutating func removeAll() {
    for index in columns.indices { columns[index].removeAll() }
    rowCount = 0
  }
}
