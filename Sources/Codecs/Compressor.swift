internal import CCodecs

/// Compresses whole inputs, such as the records of one batch, in the forms that every Kafka client reads. One per
/// thread.
@safe package final class Compressor {
  /// Level 6 of zlib and 3 of zstd: their libraries' defaults, and Kafka's.
  private static let zstandardLevel: Int32 = 3

  private let gzip = GzipEncoder()
  private var zstd: OpaquePointer?

  package init() {}

  deinit {
    unsafe ZSTD_freeCCtx(zstd)
  }

  /// - Returns: one gzip member, one raw Snappy block, one LZ4 frame of independent blocks (Java reads no others), or
  ///   one Zstandard frame.
  /// - Throws: `.unsupported` for an input above 4 GiB where the codec counts in 32 bits, `.tooLarge` when memory is
  ///   short.
  package func compress(_ input: UnsafeRawBufferPointer, codec: CompressionCodec) throws(CodecError) -> [UInt8] {
    switch codec {
    case .none: unsafe [UInt8](input)
    case .gzip: unsafe try gzip.compress(input)
    case .snappy: unsafe try compressSnappy(input)
    case .lz4: unsafe try compressLZ4(input)
    case .zstd: unsafe try compressZstandard(input)
    }
  }

  private func compressSnappy(_ input: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
    guard input.count <= Int(UInt32.max) else {
      throw CodecError(.unsupported, "snappy: \(input.count) bytes in one block")
    }
    return unsafe try [UInt8](capacity: snappy_max_compressed_length(input.count)) { output throws(CodecError) in
      var written = output.count
      let status = unsafe snappy_compress(
        input.baseAddress?.assumingMemoryBound(to: CChar.self), input.count,
        output.baseAddress?.assumingMemoryBound(to: CChar.self), &written)
      guard status == SNAPPY_OK else {
        throw CodecError(.tooLarge, "snappy: no memory to compress \(input.count) bytes")
      }
      return written
    }
  }

  private func compressLZ4(_ input: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
    var preferences = LZ4F_preferences_t()
    preferences.frameInfo.blockMode = LZ4F_blockIndependent
    let capacity = unsafe LZ4F_compressFrameBound(input.count, &preferences)
    return unsafe try [UInt8](capacity: capacity) { output throws(CodecError) in
      let written = unsafe LZ4F_compressFrame(
        output.baseAddress, output.count, input.baseAddress, input.count, &preferences)
      guard LZ4F_isError(written) == 0 else {
        throw unsafe CodecError(.tooLarge, "lz4: \(String(cString: LZ4F_getErrorName(written)))")
      }
      return written
    }
  }

  private func compressZstandard(_ input: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
    if unsafe zstd == nil { unsafe zstd = ZSTD_createCCtx() }
    guard let context = unsafe zstd else { throw CodecError(.tooLarge, "no memory for a zstd encoder") }
    return unsafe try [UInt8](capacity: ZSTD_compressBound(input.count)) { output throws(CodecError) in
      let written = unsafe ZSTD_compressCCtx(
        context, output.baseAddress, output.count, input.baseAddress, input.count, Self.zstandardLevel)
      guard ZSTD_isError(written) == 0 else {
        throw unsafe CodecError(.tooLarge, "zstd: \(String(cString: ZSTD_getErrorName(written)))")
      }
      return written
    }
  }
}

@available(*, unavailable, message: "its contexts belong to one thread: keep one per thread")
extension Compressor: Sendable {}

extension [UInt8] {
  /// An array of up to `capacity` bytes that `body` writes; it returns how many.
  init(
    capacity: Int, writing body: (UnsafeMutableRawBufferPointer) throws(CodecError) -> Int
  ) throws(CodecError) {
    var failure: CodecError?
    self = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      do throws(CodecError) {
        count = unsafe try body(UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
