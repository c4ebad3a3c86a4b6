/// Decompresses whole inputs, such as the records of one batch, into memory that it owns and reuses. One per thread.
@safe package final class Decompressor {
  private var reservation = OutputReservation()
  private let gzip = GzipDecoder()
  private let lz4 = LZ4FrameDecoder()
  private let zstd = ZstandardDecoder()

  package init() {}

  /// Takes what Kafka's clients write: gzip of one or more members, raw or snappy-java's snappy, and one or more LZ4 or
  /// Zstandard frames.
  ///
  /// - Returns: the output, valid until the next call; for `.none` the input itself.
  /// - Throws: `CodecError`; the decompressor stays usable. Memory stays within what `limit` allows for this input, and
  ///   above 8 MiB it is given back by the next call.
  package func decompress(
    _ input: UnsafeRawBufferPointer, codec: CompressionCodec, limit: DecompressionLimit = .standard
  ) throws(CodecError) -> UnsafeRawBufferPointer {
    guard codec != .none else {
      guard input.count <= limit.maximumBytes else { throw Self.tooLarge(limit.maximumBytes) }
      return unsafe input
    }
    guard unsafe !input.isEmpty else { throw CodecError(.truncated, "\(codec): no input") }
    let allowed = max(limit.allowedBytes(inputBytes: input.count), 0)
    // One byte more than allowed, so that an output of just the limit differs from one that goes on.
    let (room, overflows) = allowed.addingReportingOverflow(1)
    guard !overflows else { throw Self.tooLarge(allowed) }
    let output = unsafe try reservation.bytes(room)
    let written = unsafe try decompress(input, codec: codec, into: output)
    guard written <= allowed else { throw Self.tooLarge(allowed) }
    return unsafe UnsafeRawBufferPointer(rebasing: output[..<written])
  }

  private func decompress(
    _ input: UnsafeRawBufferPointer, codec: CompressionCodec, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    do {
      let written =
        switch codec {
        case .none: 0
        case .gzip: unsafe try drain(gzip, input, into: output)
        case .snappy: unsafe try SnappyDecoder.decompress(input, into: output)
        case .lz4: unsafe try drain(lz4, input, into: output)
        case .zstd: unsafe try zstd.decompress(input, into: output)
        }
      reservation.wrote(written)
      return written
    } catch {
      reservation.wrote(output.count)
      throw error
    }
  }

  /// Decodes frame after frame until the input ends at the end of one.
  private func drain(
    _ decoder: some FrameDecoder, _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    var consumed = 0
    var written = 0
    try decoder.startFrame()
    while true {
      let step = unsafe try decoder.step(
        UnsafeRawBufferPointer(rebasing: input[consumed...]),
        into: UnsafeMutableRawBufferPointer(rebasing: output[written...]))
      consumed += step.consumedBytes
      written += step.producedBytes
      if step.endsFrame {
        guard consumed < input.count else { return written }
        try decoder.startFrame()
      } else if written == output.count {
        throw Self.tooLarge(output.count - 1)
      } else if step.isIdle {
        throw CodecError(.truncated, "the input of \(input.count) bytes ends in the middle of a frame")
      }
    }
  }

  private static func tooLarge(_ allowedBytes: Int) -> CodecError {
    CodecError(.tooLarge, "the output exceeds the \(allowedBytes) bytes that the limit allows for this input")
  }
}

@available(*, unavailable, message: "its output lives in memory that the next call overwrites: keep one per thread")
extension Decompressor: Sendable {}
