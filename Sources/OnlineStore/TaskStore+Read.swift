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
  ///   - features: indexes into the layout's features; `values` gets one for each, appended.
  /// - Throws: `STATE_CORRUPT`, `STATE_IO`, `STATE_CLOSED`, `STATE_VIEW_DROPPED`.
  package func read(
    view: Int, key: borrowing EntityKey, at time: Int64, watermark: Int64, features: [Int],
    into values: inout [FeatureValue]
  ) throws(HeadraceError) {
    try checkUsable()
    let (layout, prefix): (ViewLayout, UInt32)
    do {
      lock.lock()
      defer { lock.unlock() }
      let rows = try rows(of: view)
      if readInMemory(rows, key, time, watermark, features, &values) { return }
      (layout, prefix) = (rows.namespace.layout, rows.namespace.id)
    }
    let stored = try storedRow(prefix, key, layout)
    lock.lock()
    defer { lock.unlock() }
    if let rows = views[view], readInMemory(rows, key, time, watermark, features, &values) { return }
    counters.misses += 1
    if let stored {
      layout.read(stored, at: time, watermark: watermark, features: features, into: &values)
      counters.diskReads += 1
    } else {
      layout.readMissing(features: features, into: &values)
    }
  }

  /// Under the lock.
  private func readInMemory(
    _ rows: ViewRows, _ key: borrowing EntityKey, _ time: Int64, _ watermark: Int64, _ features: [Int],
    _ values: inout [FeatureValue]
  ) -> Bool {
    let index = unsafe key.bytes.withUnsafeBytes { unsafe rows.table.find(KeyProbe($0, hash: key.hash)) }
    guard index >= 0 else { return false }
    let entry = unsafe rows.table.entry(index)
    unsafe entry.pointee.isReferenced = true
    counters.hits += 1
    unsafe rows.namespace.layout.read(
      entry.pointee.row, at: time, watermark: watermark, features: features, into: &values)
    return true
  }

  private func storedRow(
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
