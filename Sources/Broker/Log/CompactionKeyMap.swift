/// For every key the offset of its newest record. Keys are compared byte by byte: no hash collision can lose a record.
struct CompactionKeyMap {
  private struct Slot {
    var hash: UInt64 = 0
    /// Where the key's bytes are; -1: the slot is free.
    var start: Int = -1
    var length: Int = 0
    var offset: Int64 = -1
  }

  private var slots = [Slot](repeating: Slot(), count: 1_024)
  private var keys: [UInt8] = []
  private(set) var count = 0

  /// Memory in use.
  var sizeBytes: Int { slots.count * MemoryLayout<Slot>.stride + keys.count }

  /// - Parameter key: a range of `bytes`.
  mutating func store(_ bytes: RawSpan, _ key: Range<Int>, offset: Int64) {
    if count * 4 >= slots.count * 3 { grow() }
    let hash = Self.hash(bytes, key)
    let index = slot(of: bytes, key, hash: hash)
    if slots[index].start < 0 {
      slots[index] = Slot(hash: hash, start: keys.count, length: key.count, offset: offset)
      for position in key { keys.append(bytes.bigEndian(at: position)) }
      count += 1
    } else {
      slots[index].offset = max(slots[index].offset, offset)
    }
  }

  /// The offset of the newest record with the key; nil when no record with it was stored.
  func offset(of bytes: RawSpan, _ key: Range<Int>) -> Int64? {
    let found = slots[slot(of: bytes, key, hash: Self.hash(bytes, key))]
    return found.start < 0 ? nil : found.offset
  }

  /// The key's slot, or the free one where it belongs.
  private func slot(of bytes: RawSpan, _ key: Range<Int>, hash: UInt64) -> Int {
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index].start >= 0 {
      if slots[index].hash == hash, slots[index].length == key.count, isEqual(slots[index], bytes, key) { break }
      index = (index + 1) & mask
    }
    return index
  }

  private func isEqual(_ slot: Slot, _ bytes: RawSpan, _ key: Range<Int>) -> Bool {
    var position = slot.start
    for index in key {
      guard keys[position] == bytes.bigEndian(at: index, as: UInt8.self) else { return false }
      position += 1
    }
    return true
  }

  private mutating func grow() {
    var larger = [Slot](repeating: Slot(), count: slots.count * 2)
    let mask = larger.count - 1
    for slot in slots where slot.start >= 0 {
      var index = Int(truncatingIfNeeded: slot.hash) & mask
      while larger[index].start >= 0 { index = (index + 1) & mask }
      larger[index] = slot
    }
    slots = larger
  }

  /// FNV-1a with a final mix; a bad distribution costs time, never a record.
  private static func hash(_ bytes: RawSpan, _ key: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in key { hash = (hash ^ UInt64(bytes.bigEndian(at: index, as: UInt8.self))) &* 0x0000_0100_0000_01b3 }
    return (hash ^ (hash >> 32)) &* 0x9e37_79b9_7f4a_7c15
  }
}
