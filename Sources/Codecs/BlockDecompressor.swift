internal import CCodecs

/// Decompresses blocks whose size is known beforehand, such as the pages of a Parquet file, into the caller's memory.
/// One per thread.
@safe package final class BlockDecompressor {
  private let gzip = GzipDecoder()
  private let zstd = ZstandardDecoder()

  package init() {}

  /// - Parameter output: as large as the output must be.
  /// - Throws: `CodecError`, also when the output is of another size.
  package func decompress(
    _ input: UnsafeRawBufferPointer, codec: BlockCodec, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) {
    let written =
      switch codec {
      case .snappy: unsafe try SnappyDecoder.decompressBlock(input, into: output)
      case .gzip: unsafe try decompressGzip(input, into: output)
      case .lz4: unsafe try decompressLZ4(input, into: output)
      case .zstd: unsafe try zstd.decompress(input, into: output)
      }
    guard written == output.count else {
      throw CodecError(.corrupt, "\(codec): a block of \(written) bytes where \(output.count) are declared")
    }
  }

  private func decompressLZ4(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    guard let source = Int32(exactly: input.count), let room = Int32(exactly: output.count) else {
      throw CodecError(.unsupported, "lz4: a block of \(output.count) bytes")
    }
    let written = unsafe LZ4_decompress_safe(
      input.baseAddress?.assumingMemoryBound(to: CChar.self), output.baseAddress?.assumingMemoryBound(to: CChar.self),
      source, room)
    guard written >= 0 else { throw CodecError(.corrupt, "lz4: invalid block of \(input.count) bytes") }
    return Int(written)
  }

  private func decompressGzip(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    var consumed = 0
    var written = 0
    try gzip.startFrame()
    while true {
      let step = unsafe try gzip.step(
        UnsafeRawBufferPointer(rebasing: input[consumed...]),
        into: UnsafeMutableRawBufferPointer(rebasing: output[written...]))
      consumed += step.consumedBytes
      written += step.producedBytes
      if step.endsFrame {
        guard consumed < input.count else { return written }
        try gzip.startFrame()
      } else if step.isIdle {
        let isFull = written == output.count && consumed < input.count
        throw CodecError(
          isFull ? .tooLarge : .truncated, "gzip: \(input.count) bytes do not end with \(output.count) bytes of output")
      }
    }
  }
}

@available(*, unavailable, message: "its contexts belong to one thread: keep one per thread")
extension BlockDecompressor: Sendable {}
