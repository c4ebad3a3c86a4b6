internal import Columns
package import Core
package import Drift
package import OfflineStore

/// One column of a source, read front to back.
package enum ColumnReading {
  /// How many fine bins each coarse one has: rank statistics of sketches are off by about one part in as many.
  private static let finePerCoarse = 32

  /// All values in the order of the rows, NaN where there is none.
  ///
  /// - Returns: nil when there are more than `limit` rows.
  static func numbers(
    _ name: String, of source: any ColumnSource, atMost limit: Int
  ) throws(HeadraceError) -> (rows: [Double], isInteger: Bool)? {
    var rows: [Double] = []
    let isInteger = source.fields.first { $0.name == name }.map { $0.type.storage == .integers } ?? false
    for piece in 0..<source.pieceCount {
      guard rows.count <= limit else { return nil }
      try source.forEachBatch(of: piece, columns: [name]) { (batch) throws(HeadraceError) in
        guard rows.count <= limit else { return }
        NumericWindow.append(batch.columns[0], to: &rows)
      }
    }
    return rows.count <= limit ? (rows, isInteger) : nil
  }

  /// The column as one; for definitions that need every row.
  static func whole(_ name: String, of source: any ColumnSource) throws(HeadraceError) -> Column {
    let type = source.fields.first { $0.name == name }?.type ?? .string
    var whole = Column(type)
    for piece in 0..<source.pieceCount {
      try source.forEachBatch(of: piece, columns: [name]) { (batch) throws(HeadraceError) in
        whole.append(0..<batch.rowCount, of: batch.columns[0])
      }
    }
    return whole
  }

  package static func categories(
    _ name: String, of source: any ColumnSource, capacity: Int = CategoryProfile.defaultCapacity
  ) throws(HeadraceError) -> CategoryProfile {
    var profile = CategoryProfile(capacity: capacity)
    for piece in 0..<source.pieceCount {
      try source.forEachBatch(of: piece, columns: [name]) { (batch) throws(HeadraceError) in
        profile.add(batch.columns[0])
      }
    }
    return profile
  }

  /// Bins near the quantiles of a column; one bin around zero when it has no finite value.
  package static func grid(_ name: String, of source: any ColumnSource) throws(HeadraceError) -> BinGrid {
    var sketch = QuantileSketch()
    var block: [Double] = []
    for piece in 0..<source.pieceCount {
      try source.forEachBatch(of: piece, columns: [name]) { (batch) throws(HeadraceError) in
        block.removeAll(keepingCapacity: true)
        NumericWindow.append(batch.columns[0], to: &block)
        for value in block { sketch.add(value) }
      }
    }
    return sketch.grid(finePerCoarse: finePerCoarse)?.grid ?? .single
  }

  package static func profile(
    _ name: String, of source: any ColumnSource, on grid: BinGrid
  ) throws(HeadraceError) -> NumericProfile {
    var profile = NumericProfile(grid)
    for piece in 0..<source.pieceCount {
      try source.forEachBatch(of: piece, columns: [name]) { (batch) throws(HeadraceError) in
        profile.add(batch.columns[0])
      }
    }
    return profile
  }
}
