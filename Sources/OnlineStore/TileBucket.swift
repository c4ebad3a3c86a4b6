internal import Columns
internal import Core
internal import Glibc

/// The keys that events of one tile of time touched: a hash table over its keys, which lie in one buffer.
struct TileBucket {
  /// What happened to a key besides events while the tile was going on.
  struct Marks: OptionSet {
    let rawValue: UInt8

    /// Its first event came when the tile was over: no row was made of it then.
    static let late = Marks(rawValue: 1)
    /// An event came since the row was made.
    static let changed = Marks(rawValue: 2)
  }

  struct Entry {
    let hash: UInt64
    var marks: Marks
    /// A checkpoint has taken it as it is.
    var isSaved: Bool
  }

  /// Event time behind the last that belongs to the tile.
  let end: Int64
  /// Whether everything that the disk has of the tile is in memory.
  var isComplete: Bool
  private(set) var entries: [Entry] = []
  /// Of each entry.
  private var keys = TextBuffer()
  /// Positions of entries that no checkpoint has taken as they are here.
  private(set) var unsaved: [Int] = []
  /// Positions in `entries` plus one; 0 is free.
  private var slots: [Int32] = []

  init(end: Int64, isComplete: Bool) {
    self.end = end
    self.isComplete = isComplete
  }

  var sizeBytes: Int {
    keys.bytes.count + entries.count * (MemoryLayout<Entry>.stride + MemoryLayout<Int>.stride)
      + slots.count * MemoryLayout<Int32>.stride
  }

  /// The position of a key's entry, or -1.
  func find(_ key: RawSpan, _ hash: UInt64) -> Int {
    guard !slots.isEmpty else { return -1 }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let position = Int(slots[slot]) - 1
      if entries[position].hash == hash, Self.order(keys[position], key) == 0 { return position }
      slot = (slot + 1) & mask
    }
    return -1
  }

  /// Adds a key that is not there.
  mutating func insert(_ key: RawSpan, _ hash: UInt64, _ marks: Marks, isSaved: Bool = false) {
    if (entries.count + 1) * 4 > slots.count * 3 { grow() }
    if !isSaved { unsaved.append(entries.count) }
    keys.append(key)
    entries.append(Entry(hash: hash, marks: marks, isSaved: isSaved))
    place(hash, entries.count)
  }

  mutating func mark(_ position: Int, _ marks: Marks) {
    guard !entries[position].marks.isSuperset(of: marks) else { return }
    entries[position].marks.formUnion(marks)
    guard entries[position].isSaved else { return }
    entries[position].isSaved = false
    unsaved.append(position)
  }

  /// A checkpoint has taken what was unsaved.
  mutating func noteTaken() {
    for position in unsaved { entries[position].isSaved = true }
    unsaved.removeAll(keepingCapacity: true)
  }

  /// The checkpoint is not on the disk: the next one takes every entry.
  mutating func noteRefused() {
    for position in entries.indices { entries[position].isSaved = false }
    unsaved = Array(entries.indices)
  }

  /// Gives the memory of what is on the disk back.
  mutating func forgetSaved() {
    guard unsaved.count < entries.count else { return }
    var rest = TileBucket(end: end, isComplete: false)
    for position in unsaved { rest.insert(keys[position], entries[position].hash, entries[position].marks) }
    self = rest
  }

  /// Positions of the entries with all of these marks and none of those, in the order of their keys.
  func positions(with wanted: Marks, without unwanted: Marks) -> [Int] {
    entries.indices.filter { position in
      entries[position].marks.isSuperset(of: wanted) && entries[position].marks.isDisjoint(with: unwanted)
    }.sorted { Self.order(keys[$0], keys[$1]) < 0 }
  }

  func appendKey(_ position: Int, to others: inout EntityKeys) { others.append(bytes: keys[position]) }

  func appendKey(_ position: Int, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: keys.bytes[keys.range(position)])
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: max(slots.count * 2, 64))
    for position in entries.indices { place(entries[position].hash, position + 1) }
  }

  private mutating func place(_ hash: UInt64, _ number: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = Int32(clamping: number)
  }

  /// As bytes compare: negative, zero or positive.
  private static func order(_ left: RawSpan, _ right: RawSpan) -> Int {
    let common = min(left.byteCount, right.byteCount)
    let order = unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return 0 }
        return unsafe Int(memcmp(left, right, common))
      }
    }
    return order != 0 ? order : left.byteCount - right.byteCount
  }
}
