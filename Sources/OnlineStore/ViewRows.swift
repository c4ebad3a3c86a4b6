internal import Columns
internal import Features

/// A view of the store: its namespace and its rows in memory.
final class StoredView {
  private(set) var namespace: ViewNamespace
  /// The inputs of the batch that is applied. The worker's.
  var events: EventBlock
  /// The worker changes it under the store's lock; the worker alone may read it without.
  var rows: ViewRows

  init(_ namespace: ViewNamespace, mayBeOnDisk: Bool) {
    self.namespace = namespace
    events = EventBlock(namespace.layout)
    rows = ViewRows(namespace.layout, mayBeOnDisk: mayBeOnDisk)
  }

  /// The same rows read by other names or in another order. Under the lock.
  func adopt(_ layout: ViewLayout) {
    namespace.layout = layout
    rows.adopt(layout)
    events = EventBlock(layout)
  }
}

/// The rows of one view that are in memory.
///
/// A value, so that what is done for every event of a chunk happens inside of one access to it.
struct ViewRows: ~Copyable {
  private(set) var layout: ViewLayout
  private(set) var table = RowTable<FeatureRow>()
  /// Numbers of the entries that changed since the last checkpoint was taken.
  private(set) var dirty: [Int] = []
  /// Numbers of the entries of the checkpoint that is being written.
  private var saving: [Int] = []
  /// Memory of all rows, of the dirty ones, and of those that are being written.
  private(set) var bytes = 0
  private(set) var dirtyBytes = 0
  private(set) var savingBytes = 0
  /// False while no row of it was ever written: then nobody needs to look.
  private(set) var mayBeOnDisk: Bool
  /// The largest watermark that an event was applied at.
  private(set) var watermark = Int64.min
  /// The offset behind the newest record that rows were changed by since the store was opened: between two changes the
  /// rows are a function of the input up to here. `.min` while there was none.
  private(set) var appliedOffset = Int64.min
  /// Where the clock's hand stands.
  private var hand = 0
  /// Of busy rows whose features are gathered, by number of their entry.
  private var unions = DistinctUnions()

  init(_ layout: ViewLayout, mayBeOnDisk: Bool) {
    self.layout = layout
    self.mayBeOnDisk = mayBeOnDisk
  }

  /// The same rows read by other names or in another order.
  mutating func adopt(_ layout: ViewLayout) {
    self.layout = layout
    unions.forgetAll()
  }
}

// Rows of a chunk.
extension ViewRows {
  /// Finds the entries of a chunk's rows.
  ///
  /// First come passes over slots, entries and rows in which no read waits for the one before, so that the processor
  /// has many lines on their way at once: with rows of a hundred thousand keys that halves the time.
  ///
  /// - Parameters:
  ///   - entries: is replaced by the number of each row's entry, or -1.
  ///   - missing: is replaced by the positions of those that have a key and no entry.
  /// - Returns: of what was read only to have it near. To be kept, so that the reads stay.
  func find(
    _ keys: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>, entries: inout [Int],
    missing: inout [Int]
  ) -> UInt64 {
    entries.removeAll(keepingCapacity: true)
    missing.removeAll(keepingCapacity: true)
    var touched: UInt64 = 0
    for position in range { touched ^= table.touchSlot(keys.hashes[rows[position]]) }
    for position in range { touched ^= table.touchEntry(keys.hashes[rows[position]]) }
    for position in range {
      let row = rows[position]
      let index = keys.isValid[row] ? find(row, of: keys) : -1
      entries.append(index)
      if index < 0, keys.isValid[row] { missing.append(position) }
    }
    for index in entries where index >= 0 { touched ^= unsafe table.entry(index).pointee.row.touchHeader() }
    for index in entries where index >= 0 { touched ^= unsafe layout.touchNewestCells(table.entry(index).pointee.row) }
    return touched
  }

  /// The entry of a row's key, or -1.
  @inline(__always)
  func find(_ row: Int, of keys: borrowing EntityKeys) -> Int {
    unsafe table.find(KeyProbe(escaping: keys.text[row], hash: keys.hashes[row]))
  }

  /// The entry of a row's key; an empty row is put there if there is none.
  @inline(__always)
  private mutating func entry(of row: Int, _ keys: borrowing EntityKeys, hint: Int) -> Int {
    if hint >= 0 { return hint }
    // An earlier row of the chunk may have brought it.
    let index = find(row, of: keys)
    if index >= 0 { return index }
    return unsafe insertClean(KeyProbe(escaping: keys.text[row], hash: keys.hashes[row]), FeatureRow(layout))
  }

  /// Applies the events of a chunk in their order.
  ///
  /// - Parameters:
  ///   - entries: of each row, as `find` gave them.
  ///   - applies: with a matrix, by row of the batch: false where the row is read only.
  mutating func apply(
    _ keys: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>, entries: borrowing [Int],
    events: borrowing EventBlock, headers: borrowing EventHeaders, matrix: FeatureMatrix?, applies: borrowing [Bool]
  ) {
    for position in range {
      let row = rows[position]
      guard keys.isValid[row] else { continue }
      let hint = entries[position - range.lowerBound]
      guard let matrix else {
        _ = apply(row, keys, events, headers, hint: hint)
        continue
      }
      let index: Int
      if applies[row] {
        index = apply(row, keys, events, headers, hint: hint)
        layout.noteAdditions(
          of: events, row, eventTime: headers.eventTimesMilliseconds[row], matrix.plan, &unions)
      } else {
        index = entry(of: row, keys, hint: hint)
        unions.forgetAdditions()
      }
      unions.select(row: index)
      unsafe layout.gather(
        table.entry(index).pointee.row, at: headers.eventTimesMilliseconds[row],
        watermark: headers.watermarksMilliseconds[row], matrix.plan, &unions, into: matrix.row(row))
    }
    unions.forgetAdditions()
    noteApplied(upTo: headers.offsets[rows[range.upperBound - 1]] &+ 1)
  }

  /// Writes features of the row of a key.
  ///
  /// - Returns: false when it is not in memory.
  mutating func gather(
    _ row: Int, of keys: borrowing EntityKeys, at time: Int64, watermark: Int64, _ matrix: FeatureMatrix
  ) -> Bool {
    let index = find(row, of: keys)
    guard index >= 0 else { return false }
    let entry = unsafe table.entry(index)
    unsafe entry.pointee.isReferenced = true
    unions.select(row: index)
    unsafe layout.gather(
      entry.pointee.row, at: time, watermark: watermark, matrix.plan, &unions, into: matrix.row(row))
    return true
  }

  /// From here on rows may show records up to `offset`.
  mutating func noteApplied(upTo offset: Int64) { appliedOffset = max(appliedOffset, offset) }

  /// As above; after each event the features of its key, read at its time, are one more row of `features`.
  mutating func apply(
    _ keys: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>, entries: borrowing [Int],
    events: borrowing EventBlock, headers: borrowing EventHeaders, into features: inout FeatureColumns
  ) {
    for position in range {
      let row = rows[position]
      guard keys.isValid[row] else { continue }
      let index = apply(row, keys, events, headers, hint: entries[position - range.lowerBound])
      unsafe features.append(
        table.entry(index).pointee.row, of: layout, at: headers.eventTimesMilliseconds[row],
        watermark: headers.watermarksMilliseconds[row])
    }
    noteApplied(upTo: headers.offsets[rows[range.upperBound - 1]] &+ 1)
  }

  /// - Returns: the number of the entry that the event changed.
  @inline(__always)
  private mutating func apply(
    _ row: Int, _ keys: borrowing EntityKeys, _ events: borrowing EventBlock, _ headers: borrowing EventHeaders,
    hint: Int
  ) -> Int {
    let index = entry(of: row, keys, hint: hint)
    let entry = unsafe table.entry(index)
    watermark = max(watermark, headers.watermarksMilliseconds[row])
    unsafe layout.apply(
      &entry.pointee.row, events: events, index: row, eventTime: headers.eventTimesMilliseconds[row],
      position: EventPosition(partition: headers.partition, offset: headers.offsets[row]),
      watermark: headers.watermarksMilliseconds[row])
    noteChange(index)
    return index
  }

  /// Merges a delta into the row of a key.
  mutating func merge(
    _ delta: borrowing FeatureRow, row: Int, of keys: borrowing EntityKeys, hint: Int, watermark: Int64
  ) {
    let index = entry(of: row, keys, hint: hint)
    self.watermark = max(self.watermark, watermark)
    unsafe layout.merge(delta, into: &table.entry(index).pointee.row, watermark: watermark)
    noteChange(index)
  }

  /// After a row was changed: it is dirty, used, and may have grown.
  @inline(__always)
  private mutating func noteChange(_ index: Int) {
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
}

// Coming and going.
extension ViewRows {
  mutating func adopt(_ grown: RowTable<FeatureRow>.GrownSlots) { table.adopt(grown) }

  /// Adds a row that is as the disk has it, or empty.
  ///
  /// - Returns: its number.
  mutating func insertClean(_ probe: KeyProbe, _ row: consuming FeatureRow) -> Int {
    let index = table.insert(probe, row)
    let entry = unsafe table.entry(index)
    unsafe entry.pointee.chargedBytes = entry.pointee.overheadBytes + entry.pointee.row.capacity
    bytes += unsafe entry.pointee.chargedBytes
    return index
  }

  /// The dirty entries, nearly in the order of their keys, which RocksDB's memory table takes faster. Without the lock.
  func dirtyInKeyOrder() -> [(leadingBytes: UInt128, index: Int)] {
    var entries = dirty.map { index in unsafe (table.entry(index).pointee.leadingBytes, index) }
    entries.sort { $0.0 < $1.0 }
    return entries
  }

  /// A checkpoint has taken what was dirty. These rows stay in memory until it is on the disk.
  mutating func beginSaving() {
    swap(&dirty, &saving)
    for index in saving {
      let entry = unsafe table.entry(index)
      unsafe entry.pointee.isDirty = false
      unsafe entry.pointee.isSaving = true
    }
    savingBytes = dirtyBytes
    dirtyBytes = 0
    mayBeOnDisk = mayBeOnDisk || !saving.isEmpty
  }

  /// What `beginSaving` took is on the disk.
  mutating func endSaving() {
    for index in saving { unsafe table.entry(index).pointee.isSaving = false }
    forgetSaving()
  }

  /// What `beginSaving` took is not on the disk: the next checkpoint takes it.
  mutating func undoSaving() {
    for index in saving {
      let entry = unsafe table.entry(index)
      unsafe entry.pointee.isSaving = false
      if unsafe entry.pointee.isDirty { continue }
      unsafe entry.pointee.isDirty = true
      dirty.append(index)
      dirtyBytes += unsafe entry.pointee.chargedBytes
    }
    forgetSaving()
  }

  private mutating func forgetSaving() {
    // One large interval must not hold memory for ever.
    saving.removeAll(keepingCapacity: saving.count < 100_000)
    savingBytes = 0
  }

  /// Drops the rows that are not on the disk as they are here.
  ///
  /// - Precondition: nothing is being saved.
  mutating func discardDirty() {
    precondition(saving.isEmpty, "rows are being saved")
    for index in dirty { remove(index) }
    dirty.removeAll(keepingCapacity: dirty.count < 100_000)
    dirtyBytes = 0
    watermark = .min
    appliedOffset = .min
  }

  /// Moves the clock's hand over `visits` entries: a row that the disk has, and that was not used since it last came
  /// by, goes.
  ///
  /// - Returns: how many went.
  mutating func sweep(visits: Int) -> Int {
    let limit = table.entryLimit
    let before = table.count
    for _ in 0..<min(visits, limit) {
      hand = hand + 1 < limit ? hand + 1 : 0
      guard table.isOccupied(hand) else { continue }
      let entry = unsafe table.entry(hand)
      if unsafe entry.pointee.isDirty || entry.pointee.isSaving { continue }
      if unsafe entry.pointee.isReferenced {
        unsafe entry.pointee.isReferenced = false
      } else {
        remove(hand)
      }
    }
    return before - table.count
  }

  private mutating func remove(_ index: Int) {
    bytes -= unsafe table.entry(index).pointee.chargedBytes
    unions.forget(row: index)
    table.remove(index)
  }
}
