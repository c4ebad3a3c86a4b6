internal import Core

/// Counts by byte string: open addressing over one buffer of all names. No allocation for a name that is known.
struct CategoryTable: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var hashes: [UInt64] = []
  private(set) var counts: [Int] = []
  /// Entry plus one; 0 is free. The size is a power of two and at least twice the number of entries.
  private var slots: [UInt32] = .init(repeating: 0, count: 16)

  var count: Int { counts.count }

  func name(_ entry: Int) -> ArraySlice<UInt8> { bytes[(entry == 0 ? 0 : ends[entry - 1])..<ends[entry]] }

  /// Adds to the count of a name and returns its hash.
  @discardableResult
  mutating func add(_ name: RawSpan, count added: Int) -> UInt64 {
    let entry = entry(name)
    counts[entry] += added
    return hashes[entry]
  }

  /// The entry of a name, made with a count of 0 if there is none.
  mutating func entry(_ name: RawSpan) -> Int {
    let hash = Hash64.hash(name)
    var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[place] > 0 {
      let entry = Int(slots[place]) - 1
      if hashes[entry] == hash, isName(entry, name) { return entry }
      place = (place + 1) & (slots.count - 1)
    }
    unsafe name.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    ends.append(bytes.count)
    hashes.append(hash)
    counts.append(0)
    slots[place] = UInt32(counts.count)
    if counts.count * 2 > slots.count { grow() }
    return counts.count - 1
  }

  private func isName(_ entry: Int, _ name: RawSpan) -> Bool {
    let known = self.name(entry)
    guard known.count == name.byteCount else { return false }
    return unsafe name.withUnsafeBytes { unsafe known.elementsEqual($0) }
  }

  private mutating func grow() {
    slots = .init(repeating: 0, count: slots.count * 2)
    for (entry, hash) in hashes.enumerated() {
      var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[place] > 0 { place = (place + 1) & (slots.count - 1) }
      slots[place] = UInt32(entry + 1)
    }
  }
}
