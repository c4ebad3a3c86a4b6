package import Columns

/// What a whole file holds in one leaf; for the statistics of a table's log.
package struct ParquetColumnSummary: Hashable, Sendable {
  package var leaf: ParquetLeaf
  package var nullCount: Int
  /// Uncut; nil: no value but nulls and NaN.
  package var minimum: Value?
  package var maximum: Value?
}

/// A summary as it grows by row groups.
struct ColumnSummary {
  private let leaf: ParquetLeaf
  private var bounds = ValueBounds()
  private var nullCount = 0

  init(_ leaf: ParquetLeaf) { self.leaf = leaf }

  mutating func include(_ chunk: ValueBounds, nullCount: Int) {
    self.nullCount += nullCount
    bounds.include(
      chunk, storage: leaf.storedColumnType.storage, isSignedBytes: leaf.columnType?.storage == .decimals)
  }

  var summary: ParquetColumnSummary {
    let (minimum, maximum) = bounds.values(leaf)
    return ParquetColumnSummary(leaf: leaf, nullCount: nullCount, minimum: minimum, maximum: maximum)
  }
}
