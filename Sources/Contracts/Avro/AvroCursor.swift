/// Why bytes are no Avro.
struct AvroFailure: Error {
  var code: FaultCode
  /// The decoder's cell that it is about; nil when it is the record as a whole.
  var cell: Int?

  static let malformed = AvroFailure(code: .notAvro)
}

/// Reads Avro's binary encoding: every read is checked, and the work is bounded by the bytes that there are.
struct AvroCursor: ~Escapable {
  let bytes: Span<UInt8>
  private(set) var position: Int
  let end: Int
  /// Values that take no bytes cost steps too: an array may claim 2^62 nulls.
  private var stepsLeft: Int
  /// And text: items without bytes are counted apart.
  private var emptyItemsLeft = 65_536

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
    stepsLeft = 65_536 + 64 * range.count
  }

  var isAtEnd: Bool { position == end }

  @inline(__always)
  mutating func step() throws(AvroFailure) {
    stepsLeft -= 1
    if stepsLeft < 0 { throw .malformed }
  }

  /// Behind every item of an array or a map, with the position that it began at.
  @inline(__always)
  mutating func endItem(from start: Int) throws(AvroFailure) {
    guard position == start else { return }
    emptyItemsLeft -= 1
    if emptyItemsLeft < 0 { throw .malformed }
  }

  /// A zig-zag varint of at most 64 bits.
  @inline(__always)
  mutating func long() throws(AvroFailure) -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < end else { throw .malformed }
      let byte = bytes[position]
      position += 1
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { throw .malformed }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
      shift += 7
    }
  }

  mutating func int() throws(AvroFailure) -> Int64 {
    let value = try long()
    guard Int32(exactly: value) != nil else { throw .malformed }
    return value
  }

  mutating func boolean() throws(AvroFailure) -> Bool {
    let range = try take(1)
    guard bytes[range.lowerBound] <= 1 else { throw .malformed }
    return bytes[range.lowerBound] == 1
  }

  mutating func float() throws(AvroFailure) -> Double {
    Double(Float(bitPattern: UInt32(truncatingIfNeeded: try littleEndian(4))))
  }

  mutating func double() throws(AvroFailure) -> Double { Double(bitPattern: try littleEndian(8)) }

  private mutating func littleEndian(_ count: Int) throws(AvroFailure) -> UInt64 {
    let range = try take(count)
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[range.lowerBound + index]) << UInt64(8 * index) }
    return value
  }

  /// The next `count` bytes.
  @inline(__always)
  mutating func take(_ count: Int) throws(AvroFailure) -> Range<Int> {
    guard count >= 0, count <= end - position else { throw .malformed }
    defer { position += count }
    return position..<(position + count)
  }

  /// A length and as many bytes.
  mutating func text() throws(AvroFailure) -> Range<Int> {
    guard let count = Int(exactly: try long()) else { throw .malformed }
    return try take(count)
  }

  /// The index of a union's branch or an enum's symbol.
  mutating func index(below count: Int) throws(AvroFailure) -> Int {
    guard let index = Int(exactly: try int()), (0..<count).contains(index) else { throw .malformed }
    return index
  }

  /// How many items come next in an array or a map, and how many bytes they take if that is written; nil at its end.
  mutating func block() throws(AvroFailure) -> (count: Int, byteCount: Int?)? {
    let count = try long()
    if count == 0 { return nil }
    if count > 0 { return (Int(count), nil) }
    guard count != .min, let byteCount = Int(exactly: try long()), byteCount >= 0, byteCount <= end - position else {
      throw .malformed
    }
    return (Int(-count), byteCount)
  }
}
