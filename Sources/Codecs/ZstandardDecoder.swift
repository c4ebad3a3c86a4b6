internal import CCodecs

/// Zstandard frames (RFC 8878).
@safe final class ZstandardDecoder: FrameDecoder {
  /// 128 MiB, the largest window of the highest level (22), and what the `zstd` tool takes without `--long`.
  private static let maximumWindowLog: Int32 = 27
  /// A context that holds more than this after a frame, because of its window, is given back before the next.
  private static let keptContextBytes = 8 << 20

  private var context: OpaquePointer?

  deinit {
    unsafe ZSTD_freeDCtx(context)
  }

  func startFrame() throws(CodecError) {
    let context = unsafe try ready()
    _ = unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
  }

  func step(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> DecodingStep {
    var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let status = unsafe ZSTD_decompressStream(context, &target, &source)
    try check(status)
    return unsafe DecodingStep(consumedBytes: source.pos, producedBytes: target.pos, endsFrame: status == 0)
  }

  /// All frames of `input` at once. Back references reach into `output` itself, so no window is allocated whatever the
  /// frame declares.
  ///
  /// - Returns: how many bytes were written.
  func decompress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    let status = unsafe ZSTD_decompressDCtx(
      try ready(), output.baseAddress, output.count, input.baseAddress, input.count)
    try check(status)
    return status
  }

  private func ready() throws(CodecError) -> OpaquePointer {
    if let context = unsafe context, unsafe ZSTD_sizeof_DCtx(context) <= Self.keptContextBytes {
      return unsafe context
    }
    unsafe ZSTD_freeDCtx(context)
    unsafe context = ZSTD_createDCtx()
    guard let created = unsafe context else { throw CodecError(.tooLarge, "no memory for a zstd decoder") }
    _ = unsafe ZSTD_DCtx_setParameter(created, ZSTD_d_windowLogMax, Self.maximumWindowLog)
    return unsafe created
  }

  private func check(_ status: Int) throws(CodecError) {
    guard ZSTD_isError(status) != 0 else { return }
    let kind: CodecError.Kind =
      switch ZSTD_getErrorCode(status) {
      case ZSTD_error_dstSize_tooSmall, ZSTD_error_memory_allocation: .tooLarge
      // Also what the library says of bytes that begin no frame.
      case ZSTD_error_srcSize_wrong: .truncated
      case ZSTD_error_frameParameter_windowTooLarge, ZSTD_error_frameParameter_unsupported,
        ZSTD_error_version_unsupported, ZSTD_error_dictionary_wrong:
        .unsupported
      default: .corrupt
      }
    throw unsafe CodecError(kind, "zstd: \(String(cString: ZSTD_getErrorName(status)))")
  }
}
