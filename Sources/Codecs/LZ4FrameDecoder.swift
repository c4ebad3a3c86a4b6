internal import CCodecs

/// LZ4 frames (LZ4 Frame Format 1.6), the only form of LZ4 in record batches of version 2.
///
/// The output of one frame must be one run of memory: the library reads back references from there instead of keeping a
/// copy.
@safe final class LZ4FrameDecoder: FrameDecoder {
  private var context: OpaquePointer?

  deinit {
    unsafe LZ4F_freeDecompressionContext(context)
  }

  func startFrame() throws(CodecError) {
    if let context = unsafe context {
      unsafe LZ4F_resetDecompressionContext(context)
    } else if unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) != 0 {
      throw CodecError(.tooLarge, "no memory for an LZ4 decoder")
    }
  }

  func step(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> DecodingStep {
    var consumedBytes = input.count
    var producedBytes = output.count
    var options = LZ4F_decompressOptions_t()
    options.stableDst = 1
    let hint = unsafe LZ4F_decompress(
      context, output.baseAddress, &producedBytes, input.baseAddress, &consumedBytes, &options)
    guard LZ4F_isError(hint) == 0 else {
      throw unsafe CodecError(.corrupt, "lz4: \(String(cString: LZ4F_getErrorName(hint)))")
    }
    return DecodingStep(consumedBytes: consumedBytes, producedBytes: producedBytes, endsFrame: hint == 0)
  }
}
