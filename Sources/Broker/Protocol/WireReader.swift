package import NIOCore

/// Reads the fields of one request from its frame. Nothing is trusted: each read is checked and throws a `WireError`.
///
/// Byte fields and records are slices that share the frame's memory and keep all of it alive: what outlives the request
/// is to be copied. Arrays grow as their elements are really there, and a request has at most `elementLimit` of them in
/// all, so memory stays within a small multiple of the frame's size.
package struct WireReader {
  /// Array elements that one request may have in all arrays together.
  package static let elementLimit = 1 << 20

  /// Whether lengths are compact and structures end with tagged fields (KIP-482).
  package var isFlexible: Bool
  private var buffer: ByteBuffer
  private let frameStart: Int
  private var remainingElements = WireReader.elementLimit

  /// - Parameter frame: the bytes after the length prefix.
  package init(_ frame: ByteBuffer, isFlexible: Bool) {
    self.buffer = frame
    self.frameStart = frame.readerIndex
    self.isFlexible = isFlexible
  }

  /// Bytes read so far.
  package var offset: Int { buffer.readerIndex - frameStart }
  package var remainingBytes: Int { buffer.readableBytes }

  func error(_ reason: WireError.Reason, _ field: String) -> WireError {
    WireError(reason, field: field, offset: offset)
  }
}

// MARK: Numbers

extension WireReader {
  package mutating func bool(_ field: String) throws(WireError) -> Bool { try integer(field, as: UInt8.self) != 0 }
  package mutating func int8(_ field: String) throws(WireError) -> Int8 { try integer(field) }
  package mutating func int16(_ field: String) throws(WireError) -> Int16 { try integer(field) }
  package mutating func int32(_ field: String) throws(WireError) -> Int32 { try integer(field) }
  package mutating func int64(_ field: String) throws(WireError) -> Int64 { try integer(field) }

  package mutating func topicID(_ field: String) throws(WireError) -> TopicID {
    try TopicID(high: integer(field), low: integer(field))
  }

  /// An unsigned LEB128 number of at most 32 bits.
  package mutating func unsignedVarint(_ field: String) throws(WireError) -> UInt32 {
    var value: UInt32 = 0
    for shift: UInt32 in stride(from: 0, through: 28, by: 7) {
      let byte = try integer(field, as: UInt8.self)
      if shift == 28 && byte > 0x0f { throw error(.overlongVarint, field) }
      value |= UInt32(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw error(.overlongVarint, field)
  }

  private mutating func integer<Integer: FixedWidthInteger>(
    _ field: String, as type: Integer.Type = Integer.self
  ) throws(WireError) -> Integer {
    guard let value = buffer.readInteger(as: type) else {
      throw error(.truncated(neededBytes: MemoryLayout<Integer>.size, remainingBytes: remainingBytes), field)
    }
    return value
  }
}

// MARK: Strings and bytes

extension WireReader {
  package mutating func string(_ field: String) throws(WireError) -> String {
    guard let value = try nullableString(field) else { throw error(.unexpectedNull, field) }
    return value
  }

  package mutating func nullableString(_ field: String) throws(WireError) -> String? {
    guard let length = try length(field, prefix: Int16.self) else { return nil }
    guard let bytes = buffer.viewBytes(at: buffer.readerIndex, length: length) else {
      throw error(.truncated(neededBytes: length, remainingBytes: remainingBytes), field)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw error(.invalidUTF8, field) }
    buffer.moveReaderIndex(forwardBy: length)
    return text
  }

  package mutating func bytes(_ field: String) throws(WireError) -> ByteBuffer {
    guard let value = try nullableBytes(field) else { throw error(.unexpectedNull, field) }
    return value
  }

  package mutating func nullableBytes(_ field: String) throws(WireError) -> ByteBuffer? {
    guard let length = try length(field, prefix: Int32.self) else { return nil }
    guard let slice = buffer.readSlice(length: length) else {
      throw error(.truncated(neededBytes: length, remainingBytes: remainingBytes), field)
    }
    return slice
  }

  /// A length prefix: compact (length + 1, so that 0 is null) or a signed number whose -1 is null.
  private mutating func length<Prefix: FixedWidthInteger & SignedInteger>(
    _ field: String, prefix: Prefix.Type
  ) throws(WireError) -> Int? {
    if isFlexible {
      let value = Int(try unsignedVarint(field))
      return value == 0 ? nil : value - 1
    }
    let value = Int(try integer(field, as: prefix))
    if value < -1 { throw error(.negativeLength(value), field) }
    return value == -1 ? nil : value
  }
}

// MARK: Arrays, structures and tagged fields

extension WireReader {
  package mutating func array<Element>(
    _ field: String, elementBytes: Int = 1, _ element: (inout WireReader) throws(WireError) -> Element
  ) throws(WireError) -> [Element] {
    guard let elements = try nullableArray(field, elementBytes: elementBytes, element) else {
      throw error(.unexpectedNull, field)
    }
    return elements
  }

  /// - Parameter elementBytes: the fewest bytes that one element takes.
  package mutating func nullableArray<Element>(
    _ field: String, elementBytes: Int = 1, _ element: (inout WireReader) throws(WireError) -> Element
  ) throws(WireError) -> [Element]? {
    guard let count = try length(field, prefix: Int32.self) else { return nil }
    guard count <= remainingBytes / elementBytes, count <= remainingElements else {
      throw error(.tooManyElements(count), field)
    }
    remainingElements -= count
    var elements: [Element] = []
    elements.reserveCapacity(min(count, 64))
    for _ in 0..<count { elements.append(try element(&self)) }
    return elements
  }

  package mutating func int32s(_ field: String) throws(WireError) -> [Int32] {
    try array(field, elementBytes: 4) { reader throws(WireError) in try reader.int32(field) }
  }

  package mutating func int64s(_ field: String) throws(WireError) -> [Int64] {
    try array(field, elementBytes: 8) { reader throws(WireError) in try reader.int64(field) }
  }

  package mutating func strings(_ field: String) throws(WireError) -> [String] {
    try array(field) { reader throws(WireError) in try reader.string(field) }
  }

  package mutating func structures<Element: WireReadable>(
    _ field: String, _ version: Int16
  ) throws(WireError) -> [Element] {
    try array(field) { reader throws(WireError) in try Element(from: &reader, version: version) }
  }

  package mutating func nullableStructures<Element: WireReadable>(
    _ field: String, _ version: Int16
  ) throws(WireError) -> [Element]? {
    try nullableArray(field) { reader throws(WireError) in try Element(from: &reader, version: version) }
  }

  /// The end of a structure: in flexible versions a section of tagged fields, none of which the broker needs.
  package mutating func skipTags() throws(WireError) {
    guard isFlexible else { return }
    let field = "tagged fields"
    for _ in 0..<(try unsignedVarint(field)) {
      _ = try unsignedVarint(field)
      let length = Int(try unsignedVarint(field))
      guard length <= remainingBytes else {
        throw error(.truncated(neededBytes: length, remainingBytes: remainingBytes), field)
      }
      buffer.moveReaderIndex(forwardBy: length)
    }
  }
}
