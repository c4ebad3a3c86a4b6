internal import Columns
internal import Core
internal import Features
internal import OnlineStore

/// What one commit adds to the rows of a repartitioned view: one small row for each key, so that a hot key is one
/// record per commit, however hot it is.
///
/// Merging is associative and commutative to the bit, so where commits cut the stream changes no feature.
final class DeltaTable {
  /// A replay brings months of a key's tiles within one commit, and a record has to stay well below what brokers take
  /// (1 MB).
  private static let rowBytesMaximum = 256 << 10
  /// Rows of one commit whose memory is kept for the next one.
  private static let keptBytesMaximum = 8 << 20

  let layout: ViewLayout
  /// Open addressing: positions in `entries` plus one; 0 is free.
  private var slots: [Int32] = []
  /// The first `count` are in use; the others wait, with their memory, for the next commit.
  private var entries: [Entry] = []
  private(set) var count = 0
  private var events: EventBlock
  private(set) var firstOffset: Int64?

  /// The rows of one key since the last commit.
  final class Entry {
    fileprivate(set) var key: [UInt8] = []
    fileprivate(set) var hash: UInt64 = 0
    var row: FeatureRow
    /// Large enough: what comes next for the key goes into another row.
    fileprivate(set) var isSealed = false

    init(_ layout: ViewLayout) { row = FeatureRow(layout) }

    fileprivate func begin(_ newKey: RawSpan, _ newHash: UInt64, _ layout: ViewLayout) {
      key.removeAll(keepingCapacity: true)
      unsafe newKey.withUnsafeBytes { unsafe key.append(contentsOf: $0) }
      hash = newHash
      isSealed = false
      row.removeAll(layout)
    }

    func appendRow(to bytes: inout [UInt8]) { row.append(to: &bytes) }
  }

  init(_ layout: ViewLayout) {
    self.layout = layout
    events = EventBlock(layout)
  }

  private(set) var sizeBytes = 0

  /// - Parameter rows: indexes into the batch; each has an entity.
  func apply(
    keys: borrowing EntityKeys, inputs: borrowing [Column], rows: borrowing [Int], headers: borrowing EventHeaders
  ) {
    guard let first = rows.first else { return }
    firstOffset = firstOffset ?? headers.offsets[first]
    events.load(inputs, rowCount: keys.count)
    for index in rows.indices {
      let row = rows[index]
      let entry = entry(keys.text[row], keys.hashes[row])
      let before = entry.row.byteCount
      // Nothing expires here: what a window still counts is up to the one that owns the row.
      layout.apply(
        &entry.row, events: events, index: row, eventTime: headers.eventTimesMilliseconds[row],
        position: EventPosition(partition: headers.partition, offset: headers.offsets[row]), watermark: .min)
      sizeBytes += entry.row.byteCount - before
    }
  }

  /// Hands over every row and forgets them.
  func drain(_ body: (Entry) throws(HeadraceError) -> Void) throws(HeadraceError) {
    for entry in entries[..<count] { try body(entry) }
    removeAll()
  }

  func removeAll() {
    // A replay leaves large rows and many of them: that memory goes.
    if sizeBytes > Self.keptBytesMaximum { entries.removeAll() }
    count = 0
    for index in slots.indices { slots[index] = 0 }
    firstOffset = nil
    sizeBytes = 0
  }

  private func entry(_ key: RawSpan, _ hash: UInt64) -> Entry {
    if count * 2 >= slots.count { grow() }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let entry = entries[Int(slots[slot]) - 1]
      if entry.hash == hash, Self.isEqual(entry.key, key) {
        guard entry.row.byteCount >= Self.rowBytesMaximum else { return entry }
        entry.isSealed = true
        break
      }
      slot = (slot + 1) & mask
    }
    if count == entries.count { entries.append(Entry(layout)) }
    let entry = entries[count]
    entry.begin(key, hash, layout)
    count += 1
    slots[slot] = Int32(clamping: count)
    sizeBytes += entry.row.byteCount + entry.key.count + DeltaEnvelope.sizeBytes
    return entry
  }

  private func grow() {
    slots = [Int32](repeating: 0, count: max(slots.count * 2, 64))
    let mask = slots.count - 1
    for (index, entry) in entries[..<count].enumerated() where !entry.isSealed {
      var slot = Int(truncatingIfNeeded: entry.hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(clamping: index + 1)
    }
  }

  private static func isEqual(_ key: [UInt8], _ other: RawSpan) -> Bool {
    guard key.count == other.byteCount else { return false }
    return unsafe other.withUnsafeBytes { unsafe $0.elementsEqual(key) }
  }
}

extension FeatureRow {
  fileprivate borrowing func append(to other: inout [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe other.append(contentsOf: $0) }
  }
}
