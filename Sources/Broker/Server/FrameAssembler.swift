internal import NIOCore

/// Cuts a byte stream into Kafka frames: a big-endian 32-bit length, then that many bytes.
///
/// Bytes in, frames out; it never reserves memory on the word of a length prefix alone.
struct FrameAssembler {
  enum Failure: Error, Equatable {
    case negativeLength(Int32)
    case tooLong(lengthBytes: Int32, limitBytes: Int)
  }

  private var buffer = ByteBuffer()
  /// The length of the frame that has begun, once its prefix is here.
  private var expectedBytes: Int?

  /// Bytes that are held for a frame that has not ended.
  var partialBytes: Int { buffer.readableBytes }
  var isInsideFrame: Bool { expectedBytes != nil || buffer.readableBytes > 0 }

  /// Takes what the socket brought. Ask `next` until it has nothing more before appending again.
  mutating func append(_ bytes: inout ByteBuffer) {
    if buffer.readableBytes == 0 {
      // The usual case: whole frames are cut out of the socket's own buffer without a copy.
      buffer = bytes
    } else {
      makeRoom(for: bytes.readableBytes)
      buffer.writeBuffer(&bytes)
    }
  }

  /// The next whole frame without its prefix, or nil until more bytes come.
  mutating func next(limitBytes: Int) throws(Failure) -> ByteBuffer? {
    if expectedBytes == nil {
      guard let length = buffer.readInteger(as: Int32.self) else { return nil }
      guard length >= 0 else { throw .negativeLength(length) }
      guard Int(length) <= limitBytes else { throw .tooLong(lengthBytes: length, limitBytes: limitBytes) }
      expectedBytes = Int(length)
    }
    guard let expected = expectedBytes, let frame = buffer.readSlice(length: expected) else { return nil }
    expectedBytes = nil
    return frame
  }

  /// Grows towards the expected length by doubling, so that the memory held follows the bytes that really came.
  private mutating func makeRoom(for count: Int) {
    guard buffer.writableBytes < count else { return }
    let held = buffer.readableBytes
    let wanted = min(max(held * 2, 65_536), max(expectedBytes ?? 0, held + count))
    var larger = ByteBufferAllocator().buffer(capacity: max(wanted, held + count))
    larger.writeImmutableBuffer(buffer)
    buffer = larger
  }
}
