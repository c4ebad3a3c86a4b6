package import Core
package import Features
internal import Rocks

extension TaskStore {
  /// Reads features of one entity. Any thread.
  ///
  /// In memory first, then on the disk, then in memory again: the worker may have taken the row up in between.
  ///
  /// - Parameters:
  ///   - time: what windows are read at, epoch milliseconds.
  ///   - watermark: the partition's.
  ///   - features: indexes into the layout's features; `values` is replaced by one for each.
  /// - Returns: the offset behind the newest record that the view's rows had been changed by when this one was read;
  ///   `.min` when none was since the store was opened, `.max` when a checkpoint came in between and nobody can say.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, `STATE_CLOSED`, `STATE_VIEW_DROPPED`.
  @discardableResult
  package func read(
    view: Int, key: borrowing EntityKey, at time: Int64, watermark: Int64, features: [Int],
    into values: inout [FeatureValue]
  ) throws(HeadraceError) -> Int64 {
    try checkUsable()
    let (layout, prefix, checkpoints): (ViewLayout, UInt32, Int64)
    do {
      lock.lock()
      defer { lock.unlock() }
      let stored = try storedView(view)
      if readInMemory(stored, key, time, watermark, features, &values) { return stored.rows.appliedOffset }
      (layout, prefix, checkpoints) = (stored.namespace.layout, stored.namespace.id, counters.checkpoints)
    }
    let stored = try storedRow(prefix, key, layout)
    lock.lock()
    defer { lock.unlock() }
    if let view = views[view], readInMemory(view, key, time, watermark, features, &values) {
      return view.rows.appliedOffset
    }
    counters.misses += 1
    if let stored {
      layout.read(stored, at: time, watermark: watermark, features: features, into: &values)
      counters.diskReads += 1
    } else {
      layout.readMissing(features: features, into: &values)
    }
    guard checkpoints == counters.checkpoints, let view = views[view] else { return .max }
    return view.rows.appliedOffset
  }

  /// Under the lock.
  private func readInMemory(
    _ view: StoredView, _ key: borrowing EntityKey, _ time: Int64, _ watermark: Int64, _ features: [Int],
    _ values: inout [FeatureValue]
  ) -> Bool {
    let index = unsafe key.bytes.withUnsafeBytes { unsafe view.rows.table.find(KeyProbe($0, hash: key.hash)) }
    guard index >= 0 else { return false }
    let entry = unsafe view.rows.table.entry(index)
    unsafe entry.pointee.isReferenced = true
    counters.hits += 1
    unsafe view.namespace.layout.read(
      entry.pointee.row, at: time, watermark: watermark, features: features, into: &values)
    return true
  }

  func storedRow(
    _ prefix: UInt32, _ key: borrowing EntityKey, _ layout: ViewLayout
  ) throws(HeadraceError) -> FeatureRow? {
    do {
      guard let value = try database.get(MetaRecord.bytes(prefix) + key.bytes, in: StoreFamily.rows) else { return nil }
      return try FeatureRow(stored: value.bytes, layout: layout, place: path)
    } catch {
      throw noting(error)
    }
  }
}
