/// Neighbouring cells of a region.
struct CellRange {
  var start: Int
  var count: Int
  var stride: Int

  /// The offset of a cell.
  @inline(__always)
  subscript(index: Int) -> Int { start + index * stride }
}
