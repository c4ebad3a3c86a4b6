internal import CCodecs

/// Snappy in the two forms that Kafka's clients write: one raw block (librdkafka, the Snappy format itself), and the
/// stream of snappy-java ("xerial": Java's client), which is `[magic 8][version int32][compatible int32]` and then
/// `[length int32][block]` repeated.
enum SnappyDecoder {
  /// `0x82 "SNAPPY" 0x00`. A raw block cannot begin so: its third byte would copy from before its start.
  static let streamMagic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
  private static let streamHeaderBytes = 16

  /// The densest element is 3 bytes for a copy of 64. A block that claims more lies, and gets no memory.
  private static let maximumRatio = 22

  /// - Parameter output: its size is the limit.
  /// - Returns: how many bytes were written.
  static func decompress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    guard unsafe isStreamHeader(input, at: 0) else { return unsafe try decompressBlock(input, into: output) }
    var position = 0
    var written = 0
    while position < input.count {
      if unsafe isStreamHeader(input, at: position) {
        // Streams may be concatenated; each brings its header.
        guard input.count - position >= streamHeaderBytes else { throw truncated(position) }
        position += streamHeaderBytes
        continue
      }
      guard input.count - position >= 4 else { throw truncated(position) }
      let length = unsafe Int(
        Int32(bigEndian: input.loadUnaligned(fromByteOffset: position, as: Int32.self)))
      position += 4
      guard length > 0 else { throw CodecError(.corrupt, "snappy: block of \(length) bytes at byte \(position - 4)") }
      guard length <= input.count - position else { throw truncated(position) }
      let block = unsafe UnsafeRawBufferPointer(rebasing: input[position..<position + length])
      written += unsafe try decompressBlock(block, into: UnsafeMutableRawBufferPointer(rebasing: output[written...]))
      position += length
    }
    return written
  }

  /// One raw block; `output` is the limit.
  static func decompressBlock(
    _ block: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    let source = unsafe block.baseAddress?.assumingMemoryBound(to: CChar.self)
    var length = 0
    guard unsafe snappy_uncompressed_length(source, block.count, &length) == SNAPPY_OK else {
      throw CodecError(.corrupt, "snappy: no length in front of a block of \(block.count) bytes")
    }
    let (largest, overflows) = block.count.multipliedReportingOverflow(by: maximumRatio)
    guard overflows || length <= largest else {
      throw CodecError(.corrupt, "snappy: a block of \(block.count) bytes claims to hold \(length)")
    }
    guard length <= output.count else {
      throw CodecError(.tooLarge, "snappy: a block of \(length) bytes where \(output.count) are left of the limit")
    }
    let target = unsafe output.baseAddress?.assumingMemoryBound(to: CChar.self)
    guard unsafe snappy_uncompress(source, block.count, target, &length) == SNAPPY_OK else {
      throw CodecError(.corrupt, "snappy: invalid block of \(block.count) bytes")
    }
    return length
  }

  private static func isStreamHeader(_ input: UnsafeRawBufferPointer, at position: Int) -> Bool {
    unsafe input.count - position >= streamMagic.count
      && input[position..<position + streamMagic.count].elementsEqual(streamMagic)
  }

  private static func truncated(_ position: Int) -> CodecError {
    CodecError(.truncated, "snappy: the stream ends in the middle of what begins at byte \(position)")
  }
}
