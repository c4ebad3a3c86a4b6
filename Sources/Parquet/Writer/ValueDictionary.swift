internal import Columns
internal import Core

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The distinct values of a column chunk, numbered in the order in which they first come: an open-addressed table.
///
/// Numbers are told apart by their bits, so that -0.0 and every NaN keep theirs.
@safe final class ValueDictionary {
  private static let initialSlots = 1_024
  /// At most one of so many slots is taken, so that the first look nearly always finds the value.
  private static let slotsPerValue = 4
  private static let blockCount = 128

  /// 0: free; else a value's number plus one.
  private var slots: UnsafeMutablePointer<UInt32>
  private var slotCount: Int
  private(set) var count = 0
  /// PLAIN bytes of the values, the lengths of strings included.
  private(set) var plainBytes = 0
  private let isText: Bool
  /// Numbers: their bits, from index 1 on, so that a free slot leads to a word that is there. Strings: their hashes.
  private let words = PageBuffer()
  private let text = PageBuffer()
  private let ends = PageBuffer()

  init(isText: Bool) {
    self.isText = isText
    slotCount = Self.initialSlots
    unsafe slots = .allocate(capacity: slotCount)
    unsafe slots.initialize(repeating: 0, count: slotCount)
    reserve()
  }

  deinit { unsafe slots.deallocate() }

  func removeAll() {
    if count > 0 { unsafe slots.update(repeating: 0, count: slotCount) }
    count = 0
    plainBytes = 0
    text.removeAll()
  }

  /// Room for as many values as the slots allow, without asking at each.
  private func reserve() {
    let room = slotCount / Self.slotsPerValue + 2
    words.count = 8 * (count + 1)
    words.reserve(8 * room)
    guard isText else { return }
    ends.count = 8 * count
    ends.reserve(8 * room)
  }

  private func grow() {
    unsafe slots.deallocate()
    slotCount *= 4
    unsafe slots = .allocate(capacity: slotCount)
    unsafe slots.initialize(repeating: 0, count: slotCount)
    for number in 1...max(count, 1) where number <= count {
      let word = unsafe wordRoom[number]
      var slot = position(isText ? word : Self.hash(word))
      while unsafe slots[slot] != 0 { slot = (slot &+ 1) & (slotCount &- 1) }
      unsafe slots[slot] = UInt32(truncatingIfNeeded: number)
    }
    reserve()
  }

  private var wordRoom: UnsafeMutablePointer<UInt64> { unsafe words.base.assumingMemoryBound(to: UInt64.self) }
  private var endRoom: UnsafeMutablePointer<Int> { unsafe ends.base.assumingMemoryBound(to: Int.self) }

  @inline(__always)
  private func position(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash >> UInt64(slotCount.leadingZeroBitCount &+ 1))
  }

  @inline(__always)
  private static func hash(_ word: UInt64) -> UInt64 { (word ^ (word >> 32)) &* 0x9e37_79b9_7f4a_7c15 }
}

// MARK: Numbers of values

extension ValueDictionary {
  /// Writes the number of each value; new values get the next ones.
  ///
  /// - Parameter values: as they are stored, without nulls.
  func number(_ rows: Range<Int>, of values: borrowing Column, into numbers: UnsafeMutablePointer<UInt32>) {
    switch values.type.storage {
    case .integers: unsafe values.integers.withUnsafeBytes { unsafe numberWords($0, rows, into: numbers) }
    case .doubles: unsafe values.doubles.withUnsafeBytes { unsafe numberWords($0, rows, into: numbers) }
    case .text: unsafe numberText(rows, of: values.text, into: numbers)
    case .decimals: break
    }
  }

  /// Block by block: first every value that its first slot holds, without a branch, so that many look-ups are under way
  /// at once; then the others.
  private func numberWords(
    _ bytes: UnsafeRawBufferPointer, _ rows: Range<Int>, into numbers: UnsafeMutablePointer<UInt32>
  ) {
    guard let source = unsafe bytes.bindMemory(to: UInt64.self).baseAddress else { return }
    var start = rows.lowerBound
    while start < rows.upperBound {
      let taken = min(Self.blockCount, rows.upperBound &- start)
      let target = unsafe numbers + (start &- rows.lowerBound)
      let missing = unsafe look(source + start, taken, into: target)
      if missing > 0 {
        // A number that is not found is left as the largest one.
        for index in 0..<taken where unsafe target[index] == UInt32.max {
          unsafe target[index] = insert(source[start &+ index])
        }
      }
      start &+= taken
    }
    plainBytes = count * 8
  }

  /// - Returns: how many values their first slots do not hold.
  private func look(
    _ source: UnsafePointer<UInt64>, _ count: Int, into target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let slots = unsafe self.slots
    let known = unsafe wordRoom
    let shift = UInt64(slotCount.leadingZeroBitCount &+ 1)
    var missing = 0
    for index in 0..<count {
      let word = unsafe source[index]
      let entry = unsafe slots[Int(truncatingIfNeeded: Self.hash(word) >> shift)]
      let isKnown = unsafe known[Int(entry)] == word && entry != 0
      unsafe target[index] = isKnown ? entry &- 1 : UInt32.max
      missing &+= isKnown ? 0 : 1
    }
    return missing
  }

  private func insert(_ word: UInt64) -> UInt32 {
    var slot = position(Self.hash(word))
    while true {
      let entry = unsafe slots[slot]
      if entry == 0 { break }
      if unsafe wordRoom[Int(entry)] == word { return entry &- 1 }
      slot = (slot &+ 1) & (slotCount &- 1)
    }
    return add(word, slot)
  }

  private func add(_ word: UInt64, _ slot: Int) -> UInt32 {
    count &+= 1
    unsafe wordRoom[count] = word
    unsafe slots[slot] = UInt32(truncatingIfNeeded: count)
    if count &* Self.slotsPerValue > slotCount { grow() }
    return UInt32(truncatingIfNeeded: count &- 1)
  }

  private func numberText(
    _ rows: Range<Int>, of source: borrowing TextBuffer, into numbers: UnsafeMutablePointer<UInt32>
  ) {
    unsafe source.bytes.withUnsafeBytes { bytes in
      unsafe source.ends.withUnsafeBufferPointer { sourceEnds in
        var start = unsafe rows.lowerBound == 0 ? 0 : sourceEnds[rows.lowerBound &- 1]
        for row in rows {
          let end = unsafe sourceEnds[row]
          let value = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
          unsafe numbers[row &- rows.lowerBound] = number(value)
          start = end
        }
      }
    }
  }

  @inline(__always)
  private func number(_ value: UnsafeRawBufferPointer) -> UInt32 {
    let hash = unsafe Hash64.hash(value)
    var slot = position(hash)
    while true {
      let entry = unsafe Int(slots[slot])
      guard entry != 0 else { break }
      if unsafe wordRoom[entry] == hash {
        let start = unsafe entry == 1 ? 0 : endRoom[entry &- 2]
        if unsafe endRoom[entry &- 1] &- start == value.count, unsafe isEqual(start, value) {
          return UInt32(truncatingIfNeeded: entry &- 1)
        }
      }
      slot = (slot &+ 1) & (slotCount &- 1)
    }
    unsafe text.append(value)
    unsafe endRoom[count] = text.count
    plainBytes &+= 4 &+ value.count
    return add(hash, slot)
  }

  /// Strings of up to 16 bytes, which are most, without a call: by two words that may overlap.
  @inline(__always)
  private func isEqual(_ start: Int, _ value: UnsafeRawBufferPointer) -> Bool {
    guard let other = value.baseAddress else { return true }
    let known = unsafe text.base + start
    let count = value.count
    guard (8...16).contains(count) else { return unsafe memcmp(known, other, count) == 0 }
    let head = unsafe known.loadUnaligned(as: UInt64.self) ^ other.loadUnaligned(as: UInt64.self)
    let tail =
      unsafe known.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      ^ other.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    return head | tail == 0
  }

  /// The values in the order of their numbers, as a column of `type`.
  func values(_ type: ColumnType) -> Column {
    var column = Column(type)
    let count = count
    switch type.storage {
    case .integers:
      unsafe column.appendIntegers(count) {
        unsafe UnsafeMutableRawPointer($0).copyMemory(from: words.base + 8, byteCount: 8 * count)
      }
    case .doubles:
      unsafe column.appendDoubles(count) {
        unsafe UnsafeMutableRawPointer($0).copyMemory(from: words.base + 8, byteCount: 8 * count)
      }
    case .text:
      unsafe column.appendText(count, maximumBytes: text.count) { bytes, ends, _ in
        unsafe UnsafeMutableRawPointer(bytes).copyMemory(from: text.base, byteCount: text.count)
        unsafe UnsafeMutableRawPointer(ends).copyMemory(from: self.ends.base, byteCount: 8 * count)
        return text.count
      }
    case .decimals: break
    }
    return column
  }
}
