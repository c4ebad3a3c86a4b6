internal import Glibc

/// What a row is looked up by: a hash and bytes that the caller keeps alive. Short keys are compared as two words.
@safe
struct KeyProbe {
  static let inlineBytes = 16
  let hash: UInt64
  let bytes: UnsafeRawBufferPointer
  let low: UInt64
  let high: UInt64

  @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer, hash: UInt64) {
    unsafe self.bytes = unsafe bytes
    self.hash = hash
    var words: (UInt64, UInt64) = (0, 0)
    if bytes.count <= Self.inlineBytes, let source = bytes.baseAddress {
      unsafe withUnsafeMutableBytes(of: &words) { target in
        guard let target = target.baseAddress else { return }
        unsafe memcpy(target, source, bytes.count)
      }
    }
    low = words.0
    high = words.1
  }

  /// The bytes must outlive the probe: the compiler does not see that it refers to them.
  @unsafe @inline(__always)
  init(escaping bytes: RawSpan, hash: UInt64) {
    self = unsafe bytes.withUnsafeBytes { unsafe KeyProbe($0, hash: hash) }
  }
}

/// One row in memory with its key.
@safe
struct RowEntry<Row: ~Copyable>: ~Copyable {
  let hash: UInt64
  /// The key itself, or its address in `low`.
  let low: UInt64
  let high: UInt64
  let keyCount: UInt32
  /// Changed since the last checkpoint was taken. The worker's.
  var isDirty: Bool
  /// Part of the checkpoint that is being written. The worker's.
  var isSaving: Bool
  /// Used since the clock's hand came by. Under the store's lock.
  var isReferenced: Bool
  /// What the row was charged to the budget with.
  var chargedBytes: Int
  var row: Row

  init(_ probe: KeyProbe, row: consuming Row) {
    hash = probe.hash
    let count = unsafe probe.bytes.count
    keyCount = UInt32(truncatingIfNeeded: count)
    if count <= KeyProbe.inlineBytes {
      low = probe.low
      high = probe.high
    } else {
      let copy = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
      unsafe UnsafeMutableRawBufferPointer(start: copy, count: count).copyMemory(from: probe.bytes)
      low = UInt64(UInt(bitPattern: copy))
      high = 0
    }
    isDirty = false
    isSaving = false
    isReferenced = true
    chargedBytes = 0
    self.row = row
  }

  deinit {
    if Int(keyCount) > KeyProbe.inlineBytes { unsafe UnsafeMutableRawPointer(bitPattern: UInt(low))?.deallocate() }
  }

  @inline(__always)
  func matches(_ probe: KeyProbe) -> Bool {
    let count = unsafe probe.bytes.count
    guard hash == probe.hash, Int(keyCount) == count else { return false }
    if count <= KeyProbe.inlineBytes { return low == probe.low && high == probe.high }
    guard let own = unsafe UnsafeRawPointer(bitPattern: UInt(low)), let other = unsafe probe.bytes.baseAddress else {
      return false
    }
    return unsafe memcmp(own, other, count) == 0
  }

  /// The key, for the length of a call.
  func withKey<Result>(_ body: (RawSpan) -> Result) -> Result {
    if Int(keyCount) > KeyProbe.inlineBytes {
      let start = unsafe UnsafeRawPointer(bitPattern: UInt(low))
      let buffer = unsafe UnsafeRawBufferPointer(start: start, count: Int(keyCount))
      return unsafe body(RawSpan(_unsafeBytes: buffer))
    }
    var words = (low, high)
    return unsafe withUnsafeBytes(of: &words) { bytes in
      unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[..<Int(keyCount)])))
    }
  }

  /// The first 16 bytes of the key as a number: sorts as keys do, as far as it goes.
  var leadingBytes: UInt128 {
    if Int(keyCount) <= KeyProbe.inlineBytes { return Self.leading(low, high) }
    guard let start = unsafe UnsafeRawPointer(bitPattern: UInt(low)) else { return 0 }
    return unsafe Self.leading(
      start.loadUnaligned(as: UInt64.self), start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
  }

  private static func leading(_ low: UInt64, _ high: UInt64) -> UInt128 {
    UInt128(UInt64(bigEndian: low)) << 64 | UInt128(UInt64(bigEndian: high))
  }

  /// Memory besides the row's own.
  var overheadBytes: Int {
    // Two slots for an entry on average, since tables are at most three quarters full and double.
    let entry = MemoryLayout<RowEntry<Row>>.stride + 2 * MemoryLayout<UInt64>.stride
    return Int(keyCount) > KeyProbe.inlineBytes ? entry + Int(keyCount) + 16 : entry
  }
}

/// Rows by key: open addressing over a power of two of eight-byte slots, entries beside them that never move.
///
/// A slot holds the upper half of the hash and the number of its entry, so that looking for a key touches one cache
/// line of slots and one entry. One thread changes it; what others may do at the same time is up to the owner.
@safe
struct RowTable<Row: ~Copyable>: ~Copyable {
  private static var pageEntries: Int { 1_024 }

  private var slots: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private var pages: [UnsafeMutablePointer<RowEntry<Row>>] = unsafe []
  private var occupied: [UInt64] = []
  /// Entries that were removed.
  private var free: [Int] = []
  private var entryEnd = 0
  private(set) var count = 0

  init(minimumCapacity: Int = 64) {
    let slotCount = Self.slotCount(for: minimumCapacity)
    unsafe slots = Self.emptySlots(slotCount)
    mask = slotCount - 1
  }

  deinit {
    for index in 0..<entryEnd where isOccupied(index) {
      unsafe (pages[index / Self.pageEntries] + index % Self.pageEntries).deinitialize(count: 1)
    }
    for page in unsafe pages.indices { unsafe pages[page].deallocate() }
    unsafe slots.deallocate()
  }

  /// Entries, whether in use or not, have numbers below it.
  var entryLimit: Int { entryEnd }

  func isOccupied(_ index: Int) -> Bool { occupied[index >> 6] & (1 << UInt64(index & 63)) != 0 }

  /// The entry of a number. Its address stays the same until it is removed.
  ///
  /// - Precondition: `isOccupied(index)`.
  @inline(__always)
  func entry(_ index: Int) -> UnsafeMutablePointer<RowEntry<Row>> {
    unsafe pages[index / Self.pageEntries] + index % Self.pageEntries
  }

  /// The number of the entry with this key, or -1.
  @inline(__always)
  func find(_ probe: KeyProbe) -> Int {
    let tag = probe.hash >> 32
    var position = Int(truncatingIfNeeded: tag) & mask
    while true {
      let slot = unsafe slots[position]
      if slot == 0 { return -1 }
      if slot >> 32 == tag {
        let index = Int(slot & 0xffff_ffff) - 1
        if unsafe entry(index).pointee.matches(probe) { return index }
      }
      position = (position + 1) & mask
    }
  }

  /// Reads the slot where a key is looked for first. Lookups of many keys begin with a pass of these: none waits for
  /// the one before, so that the processor has many lines on their way at once.
  @inline(__always)
  func touchSlot(_ hash: UInt64) -> UInt64 { unsafe slots[Int(truncatingIfNeeded: hash >> 32) & mask] }

  /// Reads the entry that the first slot names, whatever it is. The second pass.
  @inline(__always)
  func touchEntry(_ hash: UInt64) -> UInt64 {
    let slot = touchSlot(hash)
    return slot == 0 ? 0 : unsafe entry(Int(slot & 0xffff_ffff) - 1).pointee.hash
  }

  /// Whether `insert` of so many more rows leaves the slots as they are.
  func hasRoom(for more: Int) -> Bool { (count + more) * 4 <= (mask + 1) * 3 }

  /// Slots for so many more rows, to be put in place by `adopt`. Reads the table only: others may read it meanwhile.
  func grownSlots(for more: Int) -> GrownSlots {
    let slotCount = max(Self.slotCount(for: count + more), (mask + 1) * 2)
    let grown = unsafe Self.emptySlots(slotCount)
    for position in 0...mask {
      let slot = unsafe slots[position]
      if slot != 0 { unsafe Self.place(slot, in: grown, mask: slotCount - 1) }
    }
    return unsafe GrownSlots(slots: grown, mask: slotCount - 1)
  }

  @safe struct GrownSlots {
    fileprivate let slots: UnsafeMutablePointer<UInt64>
    fileprivate let mask: Int
  }

  mutating func adopt(_ grown: GrownSlots) {
    unsafe slots.deallocate()
    unsafe slots = unsafe grown.slots
    mask = grown.mask
  }

  /// Adds a row under a key that is not there.
  ///
  /// - Returns: the entry's number.
  mutating func insert(_ probe: KeyProbe, _ row: consuming Row) -> Int {
    if !hasRoom(for: 1) { adopt(grownSlots(for: 1)) }
    let index: Int
    if let reused = free.popLast() {
      index = reused
    } else {
      if unsafe entryEnd == pages.count * Self.pageEntries {
        unsafe pages.append(.allocate(capacity: Self.pageEntries))
        occupied.append(contentsOf: repeatElement(0, count: Self.pageEntries / 64))
      }
      index = entryEnd
      entryEnd += 1
    }
    unsafe entry(index).initialize(to: RowEntry(probe, row: row))
    occupied[index >> 6] |= 1 << UInt64(index & 63)
    unsafe Self.place((probe.hash >> 32) << 32 | UInt64(index + 1), in: slots, mask: mask)
    count += 1
    return index
  }

  /// Takes a row out; the places behind it close up.
  mutating func remove(_ index: Int) {
    let tag = unsafe entry(index).pointee.hash >> 32
    let wanted = tag << 32 | UInt64(index + 1)
    var hole = Int(truncatingIfNeeded: tag) & mask
    while unsafe slots[hole] != wanted { hole = (hole + 1) & mask }
    var position = hole
    while true {
      position = (position + 1) & mask
      let slot = unsafe slots[position]
      if slot == 0 { break }
      let home = Int(truncatingIfNeeded: slot >> 32) & mask
      // It may move to the hole unless its home lies behind the hole.
      if (position - home) & mask >= (position - hole) & mask {
        unsafe slots[hole] = slot
        hole = position
      }
    }
    unsafe slots[hole] = 0
    unsafe entry(index).deinitialize(count: 1)
    occupied[index >> 6] &= ~(1 << UInt64(index & 63))
    free.append(index)
    count -= 1
  }

  @inline(__always)
  private static func place(_ slot: UInt64, in slots: UnsafeMutablePointer<UInt64>, mask: Int) {
    var position = Int(truncatingIfNeeded: slot >> 32) & mask
    while unsafe slots[position] != 0 { position = (position + 1) & mask }
    unsafe slots[position] = slot
  }

  /// A power of two that is at most three quarters full.
  private static func slotCount(for capacity: Int) -> Int {
    var count = 64
    while count * 3 < capacity * 4 { count *= 2 }
    return count
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    unsafe slots.initialize(repeating: 0, count: count)
    return unsafe slots
  }
}
