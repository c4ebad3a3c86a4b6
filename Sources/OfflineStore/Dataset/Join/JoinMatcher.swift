internal import Core

/// Finds for the labels of one partition the newest feature row of their key that is not newer than they are.
struct JoinMatcher {
  /// Feature rows, by the key's place among the labels; each key's in the order of (time, row).
  private var times: [Int64] = []
  private var rows: [Int] = []
  private var starts: [Int] = []
  private var slots: [Int32] = []
  private var codes: [Int64] = []

  /// - Parameter firstRows: of each piece, the number of its first row among all.
  init(labels: [JoinPiece], features: [JoinPiece], firstRows: [Int], partition: Int) {
    makeSlots(labels.reduce(0) { $0 + $1.rows(of: partition).count })
    for piece in labels { for row in piece.rows(of: partition) { insert(row.code) } }
    var counts = [Int](repeating: 0, count: codes.count + 1)
    var keys: [Int32] = []
    keys.reserveCapacity(features.reduce(0) { $0 + $1.rows(of: partition).count })
    for piece in features {
      for row in piece.rows(of: partition) {
        let key = find(row.code)
        keys.append(Int32(truncatingIfNeeded: key))
        if key >= 0 { counts[key + 1] += 1 }
      }
    }
    for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
    starts = counts
    times = [Int64](repeating: 0, count: counts[codes.count])
    rows = [Int](repeating: 0, count: counts[codes.count])
    var position = 0
    for (index, piece) in features.enumerated() {
      for row in piece.rows(of: partition) {
        let key = Int(keys[position])
        position += 1
        guard key >= 0 else { continue }
        times[counts[key]] = row.time
        rows[counts[key]] = firstRows[index] + Int(row.row)
        counts[key] += 1
      }
    }
    sortKeys()
  }

  /// Streams come in the order of time; what does not is sorted, rows of one time staying as they are.
  private mutating func sortKeys() {
    for key in codes.indices {
      let range = starts[key]..<starts[key + 1]
      guard range.count > 1, range.dropFirst().contains(where: { times[$0] < times[$0 - 1] }) else { continue }
      let order = range.sorted { (times[$0], rows[$0]) < (times[$1], rows[$1]) }
      let (sortedTimes, sortedRows) = (order.map { times[$0] }, order.map { rows[$0] })
      times.replaceSubrange(range, with: sortedTimes)
      rows.replaceSubrange(range, with: sortedRows)
    }
  }

  /// - Parameters:
  ///   - maximumAge: microseconds; nil: none.
  ///   - isKnown: whether a feature row was known at a time; nil: all were.
  /// - Returns: the number of the feature row; -1: there is none.
  func match(_ label: JoinRow, maximumAge: Int64?, isKnown: ((_ row: Int, _ time: Int64) -> Bool)?) -> Int {
    let key = find(label.code)
    guard key >= 0 else { return -1 }
    var (low, high) = (starts[key], starts[key + 1])
    let first = low
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= label.time { low = middle + 1 } else { high = middle }
    }
    var found = low - 1
    if let isKnown { while found >= first, !isKnown(rows[found], label.time) { found -= 1 } }
    guard found >= first else { return -1 }
    if let maximumAge, label.time.subtractingReportingOverflow(times[found]).partialValue > maximumAge { return -1 }
    return rows[found]
  }

  private mutating func makeSlots(_ count: Int) {
    var size = 64
    while size < count * 2 { size *= 2 }
    slots = [Int32](repeating: -1, count: size)
  }

  @inline(__always)
  private func slot(of code: Int64) -> Int {
    var slot = Int(truncatingIfNeeded: (UInt64(bitPattern: code) &* 0xff51_afd7_ed55_8ccd) >> 20) & (slots.count - 1)
    while slots[slot] >= 0, codes[Int(slots[slot])] != code { slot = (slot + 1) & (slots.count - 1) }
    return slot
  }

  private mutating func insert(_ code: Int64) {
    let slot = slot(of: code)
    guard slots[slot] < 0 else { return }
    slots[slot] = Int32(truncatingIfNeeded: codes.count)
    codes.append(code)
  }

  private func find(_ code: Int64) -> Int { Int(slots[slot(of: code)]) }
}
