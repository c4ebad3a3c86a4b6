package import NIOCore

/// Writes the fields of one response. Large byte chunks (the records of a Fetch) are not copied: they are remembered by
/// position and come out of `finish` as buffers of their own between the pieces of the small fields.
package struct WireWriter {
  /// Whether lengths are compact and structures end with tagged fields (KIP-482).
  package let isFlexible: Bool
  private var buffer: ByteBuffer
  private var insertions: [(position: Int, chunk: ByteBuffer)] = []
  private var insertedBytes = 0

  /// Below this a copy is cheaper than one more buffer in the socket's write queue.
  private static let copyLimitBytes = 4096

  package init(isFlexible: Bool, allocator: ByteBufferAllocator = ByteBufferAllocator(), capacityBytes: Int = 256) {
    self.isFlexible = isFlexible
    self.buffer = allocator.buffer(capacity: capacityBytes)
  }

  /// Bytes written so far, those of uncopied chunks included.
  package var writtenBytes: Int { buffer.writerIndex + insertedBytes }

  /// What was written, in order.
  package func finish() -> [ByteBuffer] {
    guard !insertions.isEmpty else { return [buffer] }
    var pieces: [ByteBuffer] = []
    pieces.reserveCapacity(2 * insertions.count + 1)
    var start = 0
    for (position, chunk) in insertions {
      appendPiece(start..<position, to: &pieces)
      pieces.append(chunk)
      start = position
    }
    appendPiece(start..<buffer.writerIndex, to: &pieces)
    return pieces
  }

  private func appendPiece(_ range: Range<Int>, to pieces: inout [ByteBuffer]) {
    guard !range.isEmpty, let piece = buffer.getSlice(at: range.lowerBound, length: range.count) else { return }
    pieces.append(piece)
  }

  /// Puts the number of bytes that follow into the four bytes that were written first.
  mutating func setFrameLength() {
    buffer.setInteger(Int32(clamping: writtenBytes - 4), at: 0)
  }
}

// MARK: Numbers

extension WireWriter {
  package mutating func bool(_ value: Bool) { buffer.writeInteger(value ? 1 : 0, as: UInt8.self) }
  package mutating func int8(_ value: Int8) { buffer.writeInteger(value) }
  package mutating func int16(_ value: Int16) { buffer.writeInteger(value) }
  package mutating func int32(_ value: Int32) { buffer.writeInteger(value) }
  package mutating func int64(_ value: Int64) { buffer.writeInteger(value) }
  package mutating func error(_ value: ErrorCode) { buffer.writeInteger(value.rawValue) }

  package mutating func topicID(_ value: TopicID) {
    buffer.writeInteger(value.high)
    buffer.writeInteger(value.low)
  }

  /// Unsigned LEB128.
  package mutating func unsignedVarint(_ value: UInt32) {
    var rest = value
    while rest >= 0x80 {
      buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.writeInteger(UInt8(truncatingIfNeeded: rest))
  }
}

// MARK: Strings and bytes

extension WireWriter {
  package mutating func string(_ value: String) {
    let bytes = value.utf8.count
    // The classic form counts with 15 bits; only a text of ours (an error message) can be longer.
    guard isFlexible || bytes <= Int16.max else { return string(value.prefix(utf8Bytes: Int(Int16.max))) }
    length(bytes, prefix: Int16.self)
    buffer.writeString(value)
  }

  package mutating func nullableString(_ value: String?) {
    if let value { string(value) } else { null(prefix: Int16.self) }
  }

  package mutating func bytes(_ value: ByteBuffer) { chunks([value]) }

  package mutating func nullableBytes(_ value: ByteBuffer?) {
    if let value { bytes(value) } else { null(prefix: Int32.self) }
  }

  /// One byte field whose content is the concatenation of `values`.
  package mutating func chunks(_ values: [ByteBuffer]) {
    length(values.reduce(0) { $0 + $1.readableBytes }, prefix: Int32.self)
    for value in values { append(value) }
  }

  private mutating func append(_ chunk: ByteBuffer) {
    guard chunk.readableBytes > Self.copyLimitBytes else {
      buffer.writeImmutableBuffer(chunk)
      return
    }
    insertions.append((buffer.writerIndex, chunk))
    insertedBytes += chunk.readableBytes
  }

  private mutating func length<Prefix: FixedWidthInteger & SignedInteger>(_ count: Int, prefix: Prefix.Type) {
    if isFlexible {
      unsignedVarint(UInt32(clamping: count + 1))
    } else {
      buffer.writeInteger(Prefix(clamping: count))
    }
  }

  private mutating func null<Prefix: FixedWidthInteger & SignedInteger>(prefix: Prefix.Type) {
    if isFlexible { unsignedVarint(0) } else { buffer.writeInteger(-1, as: prefix) }
  }
}

// MARK: Arrays, structures and tagged fields

extension WireWriter {
  package mutating func array<Element>(_ elements: [Element], _ write: (inout WireWriter, Element) -> Void) {
    length(elements.count, prefix: Int32.self)
    for element in elements { write(&self, element) }
  }

  package mutating func int32s(_ values: [Int32]) { array(values) { $0.int32($1) } }
  package mutating func strings(_ values: [String]) { array(values) { $0.string($1) } }

  package mutating func structures(_ values: [some WireWritable], _ version: Int16) {
    array(values) { $1.write(to: &$0, version: version) }
  }

  package mutating func nullableStructures(_ values: [some WireWritable]?, _ version: Int16) {
    if let values { structures(values, version) } else { null(prefix: Int32.self) }
  }

  /// The end of a structure without tagged fields: an empty section in flexible versions, else nothing.
  package mutating func noTags() {
    if isFlexible { unsignedVarint(0) }
  }

  /// The end of a structure whose only tagged field has number `tag`.
  package mutating func tag(_ tag: UInt32, _ write: (inout WireWriter) -> Void) {
    guard isFlexible else { return }
    var content = WireWriter(isFlexible: true, capacityBytes: 16)
    write(&content)
    unsignedVarint(1)
    unsignedVarint(tag)
    unsignedVarint(UInt32(clamping: content.writtenBytes))
    for piece in content.finish() { append(piece) }
  }
}

extension String {
  /// The longest beginning that takes at most `utf8Bytes` bytes and does not cut a character.
  fileprivate func prefix(utf8Bytes: Int) -> String {
    var end = utf8.index(startIndex, offsetBy: utf8Bytes, limitedBy: endIndex) ?? endIndex
    while end.samePosition(in: self) == nil, end > startIndex { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}
