package import Core
internal import Features
internal import Rocks

extension TaskStore {
  /// Writes features of keys of a batch as numbers into their rows of the matrix, as `ViewLayout.gather` does. Any
  /// thread; looks where `read` looks, in that order.
  ///
  /// - Parameters:
  ///   - rows: indexes into `keys` and `times`.
  ///   - times: what windows are read at, epoch milliseconds.
  ///   - watermark: the partition's.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, `STATE_CLOSED`, `STATE_VIEW_DROPPED`.
  package func gather(
    view: Int, keys: borrowing EntityKeys, rows: borrowing [Int], at times: borrowing [Int64], watermark: Int64,
    into matrix: FeatureMatrix
  ) throws(HeadraceError) {
    try checkUsable()
    var absent: [Int] = []
    var start = 0
    while start < rows.count {
      let end = min(start + Self.gatheredRows, rows.count)
      lock.lock()
      defer { lock.unlock() }
      let stored = try storedView(view)
      for index in start..<end {
        let row = rows[index]
        guard stored.rows.gather(row, of: keys, at: times[row], watermark: watermark, matrix) else {
          absent.append(row)
          continue
        }
        counters.hits += 1
      }
      start = end
    }
    for row in absent { try gather(view, row, of: keys, at: times[row], watermark: watermark, into: matrix) }
  }

  /// Rows that are read in one hold of the lock: a few microseconds, in which the worker may wait.
  private static var gatheredRows: Int { 64 }

  /// One that was not in memory.
  private func gather(
    _ view: Int, _ row: Int, of keys: borrowing EntityKeys, at time: Int64, watermark: Int64, into matrix: FeatureMatrix
  ) throws(HeadraceError) {
    let (layout, prefix) = try lock.withLock { () throws(HeadraceError) in
      let stored = try storedView(view)
      return (stored.namespace.layout, stored.namespace.id)
    }
    var key = EntityKey(bytes: [])
    key.replace(row: row, of: keys)
    let stored = try storedRow(prefix, key, layout)
    lock.lock()
    defer { lock.unlock() }
    // It may have come in the meantime.
    if let view = views[view], view.rows.gather(row, of: keys, at: time, watermark: watermark, matrix) {
      counters.hits += 1
      return
    }
    counters.misses += 1
    guard let stored else { return unsafe matrix.row(row).update(repeating: .nan) }
    var unions = DistinctUnions()
    unsafe layout.gather(stored, at: time, watermark: watermark, matrix.plan, &unions, into: matrix.row(row))
    counters.diskReads += 1
  }
}
