internal import Columns

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The smallest and the largest of some values as they are stored. NaN counts for nothing.
struct ValueBounds: Equatable {
  private(set) var isEmpty = true
  private(set) var integers: ClosedRange<Int64> = 0...0
  /// Empty while lower > upper.
  private(set) var lowerDouble = Double.infinity
  private(set) var upperDouble = -Double.infinity
  private(set) var lowerText: [UInt8] = []
  private(set) var upperText: [UInt8] = []

  /// Takes in rows of a column without nulls.
  ///
  /// - Parameter isSignedBytes: bytes are big-endian numbers in two's complement (decimals).
  mutating func include(_ rows: Range<Int>, of values: borrowing Column, isSignedBytes: Bool) {
    guard !rows.isEmpty else { return }
    switch values.type.storage {
    case .integers: includeIntegers(rows, values.integers)
    case .doubles: includeDoubles(rows, values.doubles)
    case .text: includeText(rows, values.text, isSignedBytes)
    case .decimals: break
    }
  }

  /// Takes in what other bounds span.
  mutating func include(_ other: ValueBounds, storage: ColumnType.Storage, isSignedBytes: Bool) {
    guard !other.isEmpty else { return }
    guard !isEmpty else {
      self = other
      return
    }
    switch storage {
    case .integers, .decimals:
      integers =
        min(integers.lowerBound, other.integers.lowerBound)...max(integers.upperBound, other.integers.upperBound)
    case .doubles:
      lowerDouble = min(lowerDouble, other.lowerDouble)
      upperDouble = max(upperDouble, other.upperDouble)
    case .text:
      if Self.isLess(other.lowerText, lowerText, isSignedBytes) { lowerText = other.lowerText }
      if Self.isLess(upperText, other.upperText, isSignedBytes) { upperText = other.upperText }
    }
  }

  private mutating func includeIntegers(_ rows: Range<Int>, _ values: [Int64]) {
    var (low, high) = (Int64.max, Int64.min)
    unsafe values.withUnsafeBufferPointer { values in
      for row in rows {
        let value = unsafe values[row]
        low = value < low ? value : low
        high = value > high ? value : high
      }
    }
    integers = isEmpty ? low...high : min(low, integers.lowerBound)...max(high, integers.upperBound)
    isEmpty = false
  }

  private mutating func includeDoubles(_ rows: Range<Int>, _ values: [Double]) {
    // Four lanes: a chain of comparisons takes longer than the memory does. A NaN is neither less nor greater.
    var low = SIMD4<Double>(repeating: lowerDouble)
    var high = SIMD4<Double>(repeating: upperDouble)
    unsafe values.withUnsafeBytes { bytes in
      var row = rows.lowerBound
      while row &+ 4 <= rows.upperBound {
        let lane = unsafe bytes.loadUnaligned(fromByteOffset: 8 &* row, as: SIMD4<Double>.self)
        low.replace(with: lane, where: lane .< low)
        high.replace(with: lane, where: lane .> high)
        row &+= 4
      }
      while row < rows.upperBound {
        let value = unsafe bytes.loadUnaligned(fromByteOffset: 8 &* row, as: Double.self)
        if value < low[0] { low[0] = value }
        if value > high[0] { high[0] = value }
        row &+= 1
      }
    }
    lowerDouble = low.min()
    upperDouble = high.max()
    isEmpty = lowerDouble > upperDouble
  }

  private mutating func includeText(_ rows: Range<Int>, _ text: borrowing TextBuffer, _ isSignedBytes: Bool) {
    var lowest = -1
    var highest = -1
    unsafe text.bytes.withUnsafeBytes { bytes in
      unsafe text.ends.withUnsafeBufferPointer { ends in
        var scan = unsafe TextScan(bytes: bytes, ends: ends, isSignedBytes: isSignedBytes)
        (lowest, highest) = scan.extremes(rows)
      }
    }
    let low = Array(text.bytes[text.range(lowest)])
    let high = Array(text.bytes[text.range(highest)])
    if isEmpty || Self.isLess(low, lowerText, isSignedBytes) { lowerText = low }
    if isEmpty || Self.isLess(upperText, high, isSignedBytes) { upperText = high }
    isEmpty = false
  }

  static func isLess(_ left: [UInt8], _ right: [UInt8], _ isSignedBytes: Bool) -> Bool {
    if isSignedBytes, let one = left.first, let other = right.first, (one ^ other) & 0x80 != 0 {
      return one & 0x80 != 0
    }
    return left.lexicographicallyPrecedes(right)
  }
}

/// Finds the smallest and largest of some strings: by their first 16 bytes as two words, and only where these are equal
/// by all of them.
@safe private struct TextScan {
  let bytes: UnsafeRawBufferPointer
  let ends: UnsafeBufferPointer<Int>
  let isSignedBytes: Bool

  private struct Key {
    var row: Int
    var high: UInt64
    var low: UInt64
  }

  init(bytes: UnsafeRawBufferPointer, ends: UnsafeBufferPointer<Int>, isSignedBytes: Bool) {
    unsafe self.bytes = bytes
    unsafe self.ends = ends
    self.isSignedBytes = isSignedBytes
  }

  mutating func extremes(_ rows: Range<Int>) -> (Int, Int) {
    var smallest = key(rows.lowerBound)
    var largest = smallest
    for row in rows.dropFirst() {
      let next = key(row)
      if isLess(next, smallest) {
        smallest = next
      } else if isLess(largest, next) {
        largest = next
      }
    }
    return (smallest.row, largest.row)
  }

  @inline(__always)
  private func key(_ row: Int) -> Key {
    let start = unsafe row == 0 ? 0 : ends[row &- 1]
    let length = unsafe ends[row] &- start
    var high: UInt64 = 0
    var low: UInt64 = 0
    if unsafe start &+ 16 <= bytes.count {
      unsafe high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
      unsafe low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start &+ 8, as: UInt64.self))
      if length < 8 {
        high = length == 0 ? 0 : high & (UInt64.max << UInt64(64 &- 8 &* length))
        low = 0
      } else if length < 16 {
        low = length == 8 ? 0 : low & (UInt64.max << UInt64(128 &- 8 &* length))
      }
    } else {
      for index in 0..<min(length, 16) {
        let byte = unsafe UInt64(bytes[start &+ index])
        if index < 8 { high |= byte << UInt64(56 &- 8 &* index) } else { low |= byte << UInt64(120 &- 8 &* index) }
      }
    }
    if isSignedBytes { high ^= 1 << 63 }
    return Key(row: row, high: high, low: low)
  }

  @inline(__always)
  private func isLess(_ left: Key, _ right: Key) -> Bool {
    if left.high != right.high { return left.high < right.high }
    if left.low != right.low { return left.low < right.low }
    return isLessByAllBytes(left.row, right.row)
  }

  private func isLessByAllBytes(_ left: Int, _ right: Int) -> Bool {
    let leftStart = unsafe left == 0 ? 0 : ends[left - 1]
    let rightStart = unsafe right == 0 ? 0 : ends[right - 1]
    let leftLength = unsafe ends[left] - leftStart
    let rightLength = unsafe ends[right] - rightStart
    let shared = min(leftLength, rightLength)
    guard shared > 0, let base = unsafe bytes.baseAddress else { return leftLength < rightLength }
    let order = unsafe memcmp(base + leftStart, base + rightStart, shared)
    return order != 0 ? order < 0 : leftLength < rightLength
  }
}
