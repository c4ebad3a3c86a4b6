internal import Columns

/// `ColumnIndex` and `OffsetIndex` of parquet.thrift: where the pages of a chunk lie and what they span.
enum PageIndex {
  /// - Returns: nil where a page has values but no bounds, such as one of NaN only.
  static func columnIndex(_ pages: [PageRecord], _ leaf: ParquetLeaf) -> [UInt8]? {
    var minima: [[UInt8]] = []
    var maxima: [[UInt8]] = []
    for page in pages {
      guard page.nullCount < page.valueCount else {
        minima.append([])
        maxima.append([])
        continue
      }
      guard let minimum = page.bounds.storedMinimum(leaf), let maximum = page.bounds.storedMaximum(leaf) else {
        return nil
      }
      minima.append(minimum.bytes)
      maxima.append(maximum.bytes)
    }
    var writer = CompactWriter()
    writer.list(1, of: .booleanTrue, count: pages.count)
    for page in pages { writer.element(page.nullCount == page.valueCount) }
    writer.list(2, of: .binary, count: pages.count)
    for minimum in minima { writer.element(minimum) }
    writer.list(3, of: .binary, count: pages.count)
    for maximum in maxima { writer.element(maximum) }
    writer.integer32(4, order(pages, leaf))
    writer.list(5, of: .int64, count: pages.count)
    for page in pages { writer.element(page.nullCount) }
    writer.end()
    return writer.bytes
  }

  /// - Parameter start: where the chunk's data pages begin in the file.
  static func offsetIndex(_ pages: [PageRecord], start: Int) -> [UInt8] {
    var writer = CompactWriter()
    writer.list(1, of: .structure, count: pages.count)
    for page in pages {
      writer.element { writer in
        writer.integer64(1, start + page.offset)
        writer.integer32(2, Int32(clamping: page.sizeBytes))
        writer.integer64(3, page.firstRow)
      }
    }
    writer.end()
    return writer.bytes
  }

  /// `BoundaryOrder`: 1 ascending, 2 descending, 0 neither.
  private static func order(_ pages: [PageRecord], _ leaf: ParquetLeaf) -> Int32 {
    let bounds = pages.filter { $0.nullCount < $0.valueCount }.map(\.bounds)
    let neighbours = zip(bounds, bounds.dropFirst())
    if neighbours.allSatisfy({ $0.isInOrder(before: $1, leaf) }) { return 1 }
    if neighbours.allSatisfy({ $1.isInOrder(before: $0, leaf) }) { return 2 }
    return 0
  }
}

extension ValueBounds {
  /// Neither bound is above that of `next`.
  fileprivate func isInOrder(before next: ValueBounds, _ leaf: ParquetLeaf) -> Bool {
    switch leaf.storedColumnType.storage {
    case .integers, .decimals:
      return integers.lowerBound <= next.integers.lowerBound && integers.upperBound <= next.integers.upperBound
    case .doubles: return lowerDouble <= next.lowerDouble && upperDouble <= next.upperDouble
    case .text:
      let isSigned = leaf.columnType?.storage == .decimals
      return !Self.isLess(next.lowerText, lowerText, isSigned) && !Self.isLess(next.upperText, upperText, isSigned)
    }
  }
}
