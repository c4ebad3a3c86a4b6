extension ColumnBatch {
  /// Drops the rows for which `isKept` is false.
  package mutating func keep(_ isKept: (_ row: Int, _ batch: borrowing ColumnBatch) -> Bool) {
    guard let firstDropped = (0..<rowCount).first(where: { !isKept($0, self) }) else { return }
    var kept = ColumnBatch(columns.map(\.type))
    for row in 0..<rowCount where row < firstDropped || isKept(row, self) {
      for column in columns.indices { kept.columns[column].append(row, of: columns[column]) }
      kept.rowCount += 1
    }
    self = kept
  }
}
