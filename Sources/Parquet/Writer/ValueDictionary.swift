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

  /// 0: free; else a value's number plus one, and in the upper half 32 bits of a string's hash.
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCount: Int
  private(set) var count = 0
  /// PLAIN bytes of the values, the lengths of strings included.
  private(set) var plainBytes = 0
  private let isText: Bool
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

  /// At most half of the slots are taken, so there is room for as many values without asking at each.
  private func reserve() {
    if isText {
      ends.count = 8 * count
      ends.reserve(8 * (slotCount / 2 + 1))
    } else {
      words.count = 8 * count
      words.reserve(8 * (slotCount / 2 + 1))
    }
  }

  private func grow() {
    let old = unsafe slots
    let oldCount = slotCount
    slotCount *= 2
    unsafe slots = .allocate(capacity: slotCount)
    unsafe slots.initialize(repeating: 0, count: slotCount)
    for index in 0..<oldCount {
      let entry = unsafe old[index]
      guard entry != 0 else { continue }
      let number = Int(entry & 0xffff_ffff) - 1
      let hash = isText ? hashOfText(number) : unsafe Self.hash(wordRoom[number])
      var slot = position(hash)
      while unsafe slots[slot] != 0 { slot = (slot &+ 1) & (slotCount &- 1) }
      unsafe slots[slot] = entry
    }
    unsafe old.deallocate()
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

  private func hashOfText(_ number: Int) -> UInt64 {
    let start = unsafe number == 0 ? 0 : endRoom[number - 1]
    return unsafe Hash64.hash(UnsafeRawBufferPointer(start: text.base + start, count: endRoom[number] - start))
  }
}

// MARK: Numbers of values

extension ValueDictionary {
  /// Writes the number of each value; new values get the next ones.
  ///
  /// - Parameter values: as they are stored, without nulls.
  func number(_ rows: Range<Int>, of values: borrowing Column, into numbers: UnsafeMutablePointer<UInt32>) {
    switch values.type.storage {
    case .integers:
      unsafe values.integers.withUnsafeBytes { unsafe numberWords($0, rows, width: 8, into: numbers) }
    case .doubles:
      unsafe values.doubles.withUnsafeBytes { unsafe numberWords($0, rows, width: 8, into: numbers) }
    case .text: unsafe numberText(rows, of: values.text, into: numbers)
    case .decimals: break
    }
  }

  private func numberWords(
    _ bytes: UnsafeRawBufferPointer, _ rows: Range<Int>, width: Int, into numbers: UnsafeMutablePointer<UInt32>
  ) {
    guard let source = unsafe bytes.bindMemory(to: UInt64.self).baseAddress else { return }
    // The loop runs over locals: a class's properties would be read again after every store.
    var (slots, mask) = unsafe (self.slots, slotCount &- 1)
    var shift = UInt64(slotCount.leadingZeroBitCount &+ 1)
    var known = unsafe wordRoom
    for row in rows {
      let word = unsafe source[row]
      var slot = Int(truncatingIfNeeded: Self.hash(word) >> shift)
      while true {
        let entry = unsafe slots[slot]
        if entry == 0 {
          unsafe known[count] = word
          count &+= 1
          unsafe slots[slot] = UInt64(count)
          unsafe numbers[row &- rows.lowerBound] = UInt32(truncatingIfNeeded: count &- 1)
          if count &* 2 > mask {
            grow()
            unsafe (slots, mask) = (self.slots, slotCount &- 1)
            shift = UInt64(slotCount.leadingZeroBitCount &+ 1)
            unsafe known = wordRoom
          }
          break
        }
        if unsafe known[Int(entry) &- 1] == word {
          unsafe numbers[row &- rows.lowerBound] = UInt32(truncatingIfNeeded: entry &- 1)
          break
        }
        slot = (slot &+ 1) & mask
      }
    }
    plainBytes = count * width
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
    let tag = hash << 32
    var slot = position(hash)
    while true {
      let entry = unsafe slots[slot]
      guard entry != 0 else { break }
      if entry & 0xffff_ffff_0000_0000 == tag {
        let number = Int(entry & 0xffff_ffff) &- 1
        let start = unsafe number == 0 ? 0 : endRoom[number &- 1]
        if unsafe endRoom[number] &- start == value.count, unsafe isEqual(start, value) {
          return UInt32(truncatingIfNeeded: number)
        }
      }
      slot = (slot &+ 1) & (slotCount &- 1)
    }
    unsafe text.append(value)
    unsafe endRoom[count] = text.count
    count &+= 1
    plainBytes &+= 4 &+ value.count
    unsafe slots[slot] = tag | UInt64(count)
    if count &* 2 > slotCount { grow() }
    return UInt32(truncatingIfNeeded: count &- 1)
  }

  @inline(__always)
  private func isEqual(_ start: Int, _ value: UnsafeRawBufferPointer) -> Bool {
    guard let other = value.baseAddress else { return true }
    return unsafe memcmp(text.base + start, other, value.count) == 0
  }

  /// The values in the order of their numbers, as a column of `type`.
  func values(_ type: ColumnType) -> Column {
    var column = Column(type)
    let count = count
    switch type.storage {
    case .integers:
      unsafe column.appendIntegers(count) {
        unsafe UnsafeMutableRawPointer($0).copyMemory(from: words.base, byteCount: 8 * count)
      }
    case .doubles:
      unsafe column.appendDoubles(count) {
        unsafe UnsafeMutableRawPointer($0).copyMemory(from: words.base, byteCount: 8 * count)
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
