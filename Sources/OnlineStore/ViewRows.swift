internal import Columns
internal import Features

/// The rows of one view that are in memory. The worker changes it under the store's lock; the worker alone may read it
/// without.
final class ViewRows {
  let namespace: ViewNamespace
  var table = RowTable<FeatureRow>()
  /// Numbers of the entries that are not on the disk as they are here.
  var dirty: [Int] = []
  /// Memory of all rows, and of the dirty ones.
  var bytes = 0
  var dirtyBytes = 0
  /// False while no row of it was ever written: then nobody needs to look.
  var mayBeOnDisk: Bool
  /// Where the clock's hand stands.
  private var hand = 0

  init(_ namespace: ViewNamespace, mayBeOnDisk: Bool) {
    self.namespace = namespace
    self.mayBeOnDisk = mayBeOnDisk
  }

  /// Adds a row that the disk has as it is.
  ///
  /// - Returns: its number.
  func insertClean(_ probe: KeyProbe, _ row: consuming FeatureRow) -> Int {
    let index = table.insert(probe, row)
    let entry = unsafe table.entry(index)
    unsafe entry.pointee.chargedBytes = entry.pointee.overheadBytes + entry.pointee.row.capacity
    bytes += unsafe entry.pointee.chargedBytes
    return index
  }

  /// After a row was changed: it is dirty, used, and may have grown.
  @inline(__always)
  func noteChange(_ index: Int) {
    let entry = unsafe table.entry(index)
    let charge = unsafe entry.pointee.overheadBytes + entry.pointee.row.capacity
    let growth = unsafe charge - entry.pointee.chargedBytes
    unsafe entry.pointee.chargedBytes = charge
    bytes += growth
    unsafe entry.pointee.isReferenced = true
    if unsafe entry.pointee.isDirty {
      dirtyBytes += growth
    } else {
      unsafe entry.pointee.isDirty = true
      dirty.append(index)
      dirtyBytes += charge
    }
  }

  /// Without the lock: nobody but the worker looks at the flags.
  func clearDirtyFlags() {
    for index in dirty { unsafe table.entry(index).pointee.isDirty = false }
  }

  /// Everything that was dirty is on the disk, and its flags are cleared.
  func noteSaved() {
    mayBeOnDisk = mayBeOnDisk || !dirty.isEmpty
    forgetDirty()
  }

  /// Drops the rows that are not on the disk as they are here.
  func discardDirty() {
    for index in dirty { remove(index) }
    forgetDirty()
  }

  private func forgetDirty() {
    // One large interval must not hold memory for ever.
    dirty.removeAll(keepingCapacity: dirty.count < 100_000)
    dirtyBytes = 0
  }

  /// Moves the clock's hand over `visits` entries: a clean row that was not used since it last came by goes.
  func sweep(visits: Int) {
    let limit = table.entryLimit
    guard limit > 0 else { return }
    for _ in 0..<min(visits, limit) {
      hand = hand + 1 < limit ? hand + 1 : 0
      guard table.isOccupied(hand) else { continue }
      let entry = unsafe table.entry(hand)
      if unsafe entry.pointee.isDirty { continue }
      if unsafe entry.pointee.isReferenced {
        unsafe entry.pointee.isReferenced = false
      } else {
        remove(hand)
      }
    }
  }

  private func remove(_ index: Int) {
    bytes -= unsafe table.entry(index).pointee.chargedBytes
    table.remove(index)
  }
}
