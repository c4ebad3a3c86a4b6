// Regions: sorted arrays of cells of one size.
extension FeatureRow {
  /// Makes a zeroed cell.
  ///
  /// - Parameter usualCount: how many cells the region has when its key is busy; the region's room grows geometrically
  ///   up to there and in small steps beyond.
  /// - Returns: the cell's offset.
  mutating func insertCell(_ region: Int, at position: Int, cellBytes: Int, usualCount: Int) -> Int {
    let count = cellCount(region)
    if count == cellCapacity(region) { growRegion(region, cellBytes: cellBytes, usualCount: usualCount) }
    let cell = regionStart(region) + position * cellBytes
    if position < count { move(from: cell, to: cell + cellBytes, count: (count - position) * cellBytes) }
    clear(at: cell, count: cellBytes)
    setCellCount(region, count + 1)
    return cell
  }

  private mutating func growRegion(_ region: Int, cellBytes: Int, usualCount: Int) {
    let (start, capacity) = (regionStart(region), cellCapacity(region))
    let step = capacity < usualCount ? min(max(1, capacity / 2), usualCount - capacity) : max(1, capacity / 8)
    // The last block of a row grows where it is.
    if capacity > 0, start + capacity * cellBytes == byteCount {
      _ = extend(by: step * cellBytes)
      return setRegion(region, start: start, capacity: capacity + step)
    }
    let grown = extend(by: (capacity + step) * cellBytes)
    move(from: start, to: grown, count: cellCount(region) * cellBytes)
    wastedBytes += capacity * cellBytes
    setRegion(region, start: grown, capacity: capacity + step)
  }

  /// Takes cells out of a region; their blocks must have been released before.
  mutating func removeCells(_ region: Int, _ range: Range<Int>, cellBytes: Int) {
    let (start, count) = (regionStart(region), cellCount(region))
    let (target, source) = (start + range.lowerBound * cellBytes, start + range.upperBound * cellBytes)
    move(from: source, to: target, count: (count - range.upperBound) * cellBytes)
    setCellCount(region, count - range.count)
  }

  /// The position of the first cell whose leading number is not less than `key`.
  func firstCell(_ region: Int, notBefore key: Int64, cellBytes: Int) -> Int {
    let start = regionStart(region)
    var (low, high) = (0, cellCount(region))
    while low < high {
      let middle = (low + high) / 2
      if load(start + middle * cellBytes, as: Int64.self) < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
