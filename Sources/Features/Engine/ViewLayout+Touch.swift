// Memory that an event will change, read ahead of it: a caller with many rows makes a pass of each of these, in which
// no read waits for the one before, so that the processor has many cache lines on their way at once.

extension FeatureRow {
  /// Reads of the header what says where the cells are.
  @inline(__always)
  package borrowing func touchHeader() -> UInt64 { load(HeaderOffset.newestEventTime) }
}

extension ViewLayout {
  /// Reads a word of each cache line of the newest cell of each region: that is where nearly all events go.
  package func touchNewestCells(_ row: borrowing FeatureRow) -> UInt64 {
    var touched: UInt64 = 0
    for region in regions.indices {
      let count = row.cellCount(region)
      guard count > 0 else { continue }
      let cellBytes = regions[region].cellBytes
      let cell = row.regionStart(region) + (count - 1) * cellBytes
      let end = cell + min(cellBytes, Self.touchedBytes) - 8
      var offset = cell
      while offset < end {
        touched ^= row.load(offset)
        offset += 64
      }
      touched ^= row.load(end)
    }
    return touched
  }

  private static var touchedBytes: Int { 512 }
}
