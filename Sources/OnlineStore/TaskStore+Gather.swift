package import Core
internal import Features
internal import Rocks

extension TaskStore {
  /// Writes features of one key of a batch as numbers into its row of the matrix, as `ViewLayout.gather` does. Any
  /// thread; looks where `read` looks, in that order.
  ///
  /// - Parameters:
  ///   - time: what windows are read at, epoch milliseconds.
  ///   - watermark: the partition's.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, `STATE_CLOSED`, `STATE_VIEW_DROPPED`.
  package func gather(
    view: Int, key row: Int, of keys: borrowing EntityKeys, at time: Int64, watermark: Int64, into matrix: FeatureMatrix
  ) throws(HeadraceError) {
    try checkUsable()
    let (layout, prefix): (ViewLayout, UInt32)
    do {
      lock.lock()
      defer { lock.unlock() }
      let stored = try storedView(view)
      if gatherInMemory(stored, row, keys, time, watermark, matrix) { return }
      (layout, prefix) = (stored.namespace.layout, stored.namespace.id)
    }
    var key = EntityKey(bytes: [])
    key.replace(row: row, of: keys)
    let stored = try storedRow(prefix, key, layout)
    lock.lock()
    defer { lock.unlock() }
    if let view = views[view], gatherInMemory(view, row, keys, time, watermark, matrix) { return }
    counters.misses += 1
    guard let stored else { return unsafe matrix.row(row).update(repeating: .nan) }
    var unions = DistinctUnions()
    unsafe layout.gather(stored, at: time, watermark: watermark, matrix.plan, &unions, into: matrix.row(row))
    counters.diskReads += 1
  }

  /// Under the lock.
  private func gatherInMemory(
    _ view: StoredView, _ row: Int, _ keys: borrowing EntityKeys, _ time: Int64, _ watermark: Int64,
    _ matrix: FeatureMatrix
  ) -> Bool {
    guard view.rows.gather(row, of: keys, at: time, watermark: watermark, matrix) else { return false }
    counters.hits += 1
    return true
  }
}
