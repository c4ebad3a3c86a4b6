/// Why bytes of the journal could not be read as an event.
package enum JournalDecodingError: Error, Equatable, Sendable {
  /// The bytes end inside of a field.
  case truncated
  /// A number has more bits than its field.
  case numberOutOfRange
  /// A string is not UTF-8.
  case invalidText
  /// A count or length is greater than the bytes that are left: nothing of that size is ever allocated.
  case lengthOutOfRange(UInt64)
  /// The first byte names no event of this version.
  case unknownKind(UInt8)
}

/// Writes the fields of one journal event.
///
/// Numbers are variable-length (LEB128, signed ones zigzag), strings and lists carry their count in front. An event's
/// first byte is its kind; fields are only ever added at the end, so that an older event lacks them and a newer one has
/// bytes that an older reader leaves unread. The length and the checksum of an event belong to the journal's frame.
package struct JournalEncoder: Sendable {
  package private(set) var bytes: [UInt8]

  package init(appendingTo bytes: [UInt8] = []) { self.bytes = bytes }

  package mutating func write(kind: UInt8) { bytes.append(kind) }

  package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

  package mutating func write(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  package mutating func write(_ value: Int64) {
    write(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  package mutating func write(_ value: Int32) { write(Int64(value)) }

  package mutating func write(_ value: Int16) { write(Int64(value)) }

  package mutating func write(_ value: String) {
    write(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  package mutating func write(_ value: [UInt8]) {
    write(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// A list: its count, then each element by `writeElement`.
  package mutating func write<Element>(
    list: [Element], _ writeElement: (inout JournalEncoder, Element) -> Void
  ) {
    write(UInt64(list.count))
    for element in list { writeElement(&self, element) }
  }
}

/// Reads the fields of one journal event; damaged bytes throw, they never trap and never allocate more than they hold.
package struct JournalDecoder: Sendable {
  private let bytes: [UInt8]
  private var offset = 0

  /// - Parameter bytes: exactly one event, as its frame delimits it.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// True where an event of an older version ends: the fields that follow have their defaults.
  package var isAtEnd: Bool { offset == bytes.count }

  package mutating func readKind() throws(JournalDecodingError) -> UInt8 { try readByte() }

  package mutating func readBool() throws(JournalDecodingError) -> Bool {
    switch try readByte() {
    case 0: false
    case 1: true
    default: throw .numberOutOfRange
    }
  }

  package mutating func readUInt64() throws(JournalDecodingError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try readByte()
      let payload = UInt64(byte & 0x7f)
      guard shift < 63 || (shift == 63 && payload <= 1) else { throw .numberOutOfRange }
      value |= payload << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
  }

  package mutating func readInt64() throws(JournalDecodingError) -> Int64 {
    let raw = try readUInt64()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  package mutating func readInt32() throws(JournalDecodingError) -> Int32 {
    guard let value = Int32(exactly: try readInt64()) else { throw .numberOutOfRange }
    return value
  }

  package mutating func readInt16() throws(JournalDecodingError) -> Int16 {
    guard let value = Int16(exactly: try readInt64()) else { throw .numberOutOfRange }
    return value
  }

  package mutating func readString() throws(JournalDecodingError) -> String {
    let range = try readRange()
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw .invalidText }
    return text
  }

  package mutating func readBytes() throws(JournalDecodingError) -> [UInt8] {
    Array(bytes[try readRange()])
  }

  /// A list as `JournalEncoder.write(list:)` wrote it. Every element takes at least one byte, which bounds the count.
  package mutating func readList<Element>(
    _ readElement: (inout JournalDecoder) throws(JournalDecodingError) -> Element
  ) throws(JournalDecodingError) -> [Element] {
    let count = try readCount()
    var elements: [Element] = []
    elements.reserveCapacity(min(count, 1_024))
    for _ in 0..<count { elements.append(try readElement(&self)) }
    return elements
  }

  private mutating func readByte() throws(JournalDecodingError) -> UInt8 {
    guard offset < bytes.count else { throw .truncated }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func readCount() throws(JournalDecodingError) -> Int {
    let count = try readUInt64()
    guard count <= UInt64(bytes.count - offset) else { throw .lengthOutOfRange(count) }
    return Int(count)
  }

  private mutating func readRange() throws(JournalDecodingError) -> Range<Int> {
    let count = try readCount()
    defer { offset += count }
    return offset..<(offset + count)
  }
}
