internal import CCodecs

/// Compresses blocks, such as the pages of a Parquet file, into the caller's memory. One per thread.
@safe package final class BlockCompressor {
  private let zstandardLevel: Int32
  private let gzip = GzipEncoder()
  private var zstd: OpaquePointer?

  /// - Parameter zstandardLevel: 1 (fast) to 22 (small); out of this range, the nearest.
  package init(zstandardLevel: Int = 1) {
    self.zstandardLevel = Int32(clamping: min(max(zstandardLevel, 1), 22))
  }

  deinit {
    unsafe ZSTD_freeCCtx(zstd)
  }

  /// The largest output that an input of so many bytes can have.
  package func maximumBytes(inputBytes: Int, codec: BlockCodec) -> Int {
    switch codec {
    case .snappy: snappy_max_compressed_length(inputBytes)
    // Stored blocks of at most 16 KiB with 5 bytes each, and the member's header and trailer; zlib's bound is less.
    case .gzip: inputBytes + inputBytes / 1_024 + 64
    case .lz4: inputBytes + inputBytes / 255 + 16
    case .zstd: ZSTD_compressBound(inputBytes)
    }
  }

  /// - Parameter output: at least `maximumBytes` for this input.
  /// - Returns: how many bytes were written.
  package func compress(
    _ input: UnsafeRawBufferPointer, codec: BlockCodec, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    guard input.count <= Int(Int32.max) else {
      throw CodecError(.unsupported, "\(codec): \(input.count) bytes in one block")
    }
    let source = unsafe input.baseAddress?.assumingMemoryBound(to: CChar.self)
    let target = unsafe output.baseAddress?.assumingMemoryBound(to: CChar.self)
    switch codec {
    case .snappy:
      var written = output.count
      guard unsafe snappy_compress(source, input.count, target, &written) == SNAPPY_OK else {
        throw CodecError(.tooLarge, "snappy: no memory to compress \(input.count) bytes")
      }
      return written
    case .gzip:
      let bytes = unsafe try gzip.compress(input)
      guard bytes.count <= output.count else { throw CodecError(.tooLarge, "gzip: \(bytes.count) bytes of output") }
      unsafe output.copyBytes(from: bytes)
      return bytes.count
    case .lz4:
      let written = unsafe LZ4_compress_default(
        source, target, Int32(input.count), Int32(clamping: output.count))
      guard written > 0 else { throw CodecError(.tooLarge, "lz4: cannot compress \(input.count) bytes") }
      return Int(written)
    case .zstd:
      return unsafe try compressZstandard(input, into: output)
    }
  }

  private func compressZstandard(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    if unsafe zstd == nil { unsafe zstd = ZSTD_createCCtx() }
    guard let context = unsafe zstd else { throw CodecError(.tooLarge, "no memory for a zstd encoder") }
    let written = unsafe ZSTD_compressCCtx(
      context, output.baseAddress, output.count, input.baseAddress, input.count, zstandardLevel)
    guard ZSTD_isError(written) == 0 else {
      throw unsafe CodecError(.tooLarge, "zstd: \(String(cString: ZSTD_getErrorName(written)))")
    }
    return written
  }
}

@available(*, unavailable, message: "its contexts belong to one thread: keep one per thread")
extension BlockCompressor: Sendable {}
