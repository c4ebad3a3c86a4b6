extension ColumnMetadata {
  /// Which encodings the pages of a chunk have, and how many each.
  mutating func setEncodings(
    _ pages: [PageRecord], hasDictionary: Bool, version: ParquetWriterConfiguration.PageVersion
  ) {
    let levels = ParquetEncoding.rle.rawValue
    let dataPage: Int32 = version == .v1 ? 0 : 3
    var counts: [Int32: Int32] = [:]
    for page in pages { counts[page.encoding.rawValue, default: 0] += 1 }
    encodings = Set(counts.keys).union(hasDictionary ? [0, levels] : [levels]).sorted()
    if hasDictionary { pageEncodings.append(.init(pageType: 2, encoding: 0, count: 1)) }
    for (encoding, count) in counts.sorted(by: { $0.key < $1.key }) {
      pageEncodings.append(.init(pageType: dataPage, encoding: encoding, count: count))
    }
  }
}

extension StoredStatistics {
  init(_ chunk: ChunkWriter) {
    nullCount = chunk.nullCount
    let bounds = chunk.bounds
    if let bound = bounds.storedMinimum(chunk.leaf) { (minimum, isMinimumExact) = (bound.bytes, bound.isExact) }
    if let bound = bounds.storedMaximum(chunk.leaf) { (maximum, isMaximumExact) = (bound.bytes, bound.isExact) }
  }
}
