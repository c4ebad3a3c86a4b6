/// Appends little-endian numbers, and byte strings behind their length.
package struct ByteWriter: Sendable {
  package var bytes: [UInt8] = []

  package init() {}

  package mutating func number<Number: FixedWidthInteger>(_ number: Number) {
    unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  package mutating func text(_ text: String) {
    number(UInt32(clamping: text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  package mutating func block(_ block: RawSpan) {
    number(UInt32(clamping: block.byteCount))
    unsafe block.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }
}

/// Reads what `ByteWriter` wrote; bytes that end too early throw, and never trap.
package struct ByteReader: ~Copyable, ~Escapable {
  private let bytes: RawSpan
  package private(set) var offset = 0
  private let place: String

  /// - Parameter place: what is read, for the error.
  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, place: String) {
    self.bytes = bytes
    self.place = place
  }

  package var isAtEnd: Bool { offset == bytes.byteCount }

  @_lifetime(self: copy self)
  package mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(HeadraceError)
    -> Number
  {
    let size = MemoryLayout<Number>.size
    guard bytes.byteCount - offset >= size else { throw broken("it ends at byte \(bytes.byteCount)") }
    defer { offset += size }
    return unsafe Number(
      littleEndian: bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Number.self) })
  }

  /// A count of things of which each takes at least `size` bytes.
  @_lifetime(self: copy self)
  package mutating func count(ofSize size: Int) throws(HeadraceError) -> Int {
    let count = Int(try number(UInt32.self))
    guard count <= (bytes.byteCount - offset) / max(size, 1) else { throw broken("a count of \(count) does not fit") }
    return count
  }

  @_lifetime(self: copy self)
  package mutating func range() throws(HeadraceError) -> Range<Int> {
    let count = try count(ofSize: 1)
    defer { offset += count }
    return offset..<offset + count
  }

  /// - Parameter count: not negative.
  @_lifetime(self: copy self)
  package mutating func skip(_ count: Int) throws(HeadraceError) {
    guard count <= bytes.byteCount - offset else { throw broken("it ends at byte \(bytes.byteCount)") }
    offset += count
  }

  @_lifetime(self: copy self)
  package mutating func text() throws(HeadraceError) -> String {
    let range = try range()
    return unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// A byte string, copied.
  @_lifetime(self: copy self)
  package mutating func block() throws(HeadraceError) -> [UInt8] {
    let range = try range()
    return unsafe bytes.extracting(range).withUnsafeBytes { unsafe Array($0) }
  }

  package func broken(_ what: String) -> HeadraceError {
    HeadraceError(
      .internal, "BYTES_BROKEN", "at byte \(offset): \(what)", place: place,
      remedy: "it was written by another version, or damaged")
  }
}
