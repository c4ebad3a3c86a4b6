/// Where the fields of one record stand in the (decompressed) records of its batch.
package struct RecordLayout: Equatable, Sendable {
  /// The whole record with its length in front.
  package var range: Range<Int>
  package var attributes: Int8
  package var timestampDelta: Int64
  package var offsetDelta: Int32
  /// nil: a null key.
  package var key: Range<Int>?
  /// nil: a null value, in compacted topics a tombstone.
  package var value: Range<Int>?
  package var headerCount: Int32
  /// The headers without their count.
  package var headers: Range<Int>
}

/// Walks over the records of a batch, checking every length before it is used. Allocates nothing.
///
///     record  := length:varint attributes:int8 timestampDelta:varlong offsetDelta:varint
///                keyLength:varint key valueLength:varint value headerCount:varint header*
///     header  := keyLength:varint key valueLength:varint value
package struct RecordCursor: ~Escapable {
  private let bytes: RawSpan
  /// Bytes consumed so far.
  package private(set) var position = 0
  /// Records handed out so far.
  package private(set) var count: Int32 = 0

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan) { self.bytes = bytes }

  package var isAtEnd: Bool { position == bytes.byteCount }

  /// The next record; call it as often as the batch has records.
  /// - Throws: `malformedRecord`, also when there is none left.
  package mutating func next() throws(RecordBatchError) -> RecordLayout {
    let start = position
    let length = Int(try varint())
    guard length >= 0, length <= bytes.byteCount &- position else { throw malformed }
    let end = position &+ length
    guard position < end else { throw malformed }
    let attributes: Int8 = bytes.bigEndian(at: position)
    position &+= 1
    let timestampDelta = try varlong()
    let offsetDelta = try varint()
    let key = try field(end: end)
    let value = try field(end: end)
    let headerCount = try varint()
    guard headerCount >= 0 else { throw malformed }
    let headersStart = position
    for _ in 0..<headerCount {
      guard try field(end: end) != nil else { throw malformed }
      _ = try field(end: end)
    }
    guard position == end else { throw malformed }
    count &+= 1
    return RecordLayout(
      range: start..<end, attributes: attributes, timestampDelta: timestampDelta, offsetDelta: offsetDelta, key: key,
      value: value, headerCount: headerCount, headers: headersStart..<end)
  }

  private var malformed: RecordBatchError { .malformedRecord(index: count) }

  /// A length and that many bytes; a length of -1 is null.
  @inline(__always)
  private mutating func field(end: Int) throws(RecordBatchError) -> Range<Int>? {
    let length = Int(try varint())
    guard length >= 0 else {
      guard length == -1 else { throw malformed }
      return nil
    }
    guard position <= end, length <= end &- position else { throw malformed }
    let range = position..<(position &+ length)
    position = range.upperBound
    return range
  }

  /// A zigzag number of 32 bits; longer encodings are refused, since consumers refuse them too.
  @inline(__always)
  private mutating func varint() throws(RecordBatchError) -> Int32 {
    if position < bytes.byteCount {
      let first: UInt8 = bytes.bigEndian(at: position)
      if first < 0x80 {
        position &+= 1
        return Int32(first >> 1) ^ -Int32(first & 1)
      }
    }
    guard let raw = UInt32(exactly: try unsignedVarint(maximumBytes: 5)) else { throw malformed }
    return Int32(bitPattern: raw >> 1) ^ -Int32(bitPattern: raw & 1)
  }

  @inline(__always)
  private mutating func varlong() throws(RecordBatchError) -> Int64 {
    let raw = try unsignedVarint(maximumBytes: 10)
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  private mutating func unsignedVarint(maximumBytes: Int) throws(RecordBatchError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    let limit = min(bytes.byteCount, position &+ maximumBytes)
    while position < limit {
      let byte: UInt8 = bytes.bigEndian(at: position)
      position &+= 1
      // The tenth byte holds the one bit that is left of 64.
      if shift == 63, byte > 1 { throw malformed }
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
    throw malformed
  }
}
