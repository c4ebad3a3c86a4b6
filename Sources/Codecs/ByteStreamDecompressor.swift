/// Decompresses a file or a pipe as it is read: gzip of any number of members, Zstandard of any number of frames, or
/// plain bytes.
@safe package final class ByteStreamDecompressor {
  private static let pieceBytes = 128 << 10

  private let codec: CompressionCodec
  private let decoder: (any FrameDecoder)?
  private let maximumBytesPerAppend: Int
  private let piece: UnsafeMutableRawBufferPointer
  private var consumedBytes: Int64 = 0
  private var state = State.betweenFrames

  private enum State {
    case betweenFrames
    case inFrame
    case failed(CodecError)
  }

  /// - Parameters:
  ///   - codec: `.none`, `.gzip` or `.zstd`; the other two are no file formats here, and the first `append` says so.
  ///   - maximumBytesPerAppend: what one piece of input may expand to, in bytes. A whole file may be of any size.
  package init(codec: CompressionCodec, maximumBytesPerAppend: Int = 256 << 20) {
    self.codec = codec
    self.maximumBytesPerAppend = maximumBytesPerAppend
    decoder =
      switch codec {
      case .gzip: GzipDecoder()
      case .zstd: ZstandardDecoder()
      case .none, .snappy, .lz4: nil
      }
    unsafe piece = .allocate(byteCount: decoder == nil ? 0 : Self.pieceBytes, alignment: 16)
    if codec == .snappy || codec == .lz4 {
      state = .failed(CodecError(.unsupported, "\(codec) is not read as a stream"))
    }
  }

  deinit {
    unsafe piece.deallocate()
  }

  /// Decompresses the next bytes of the stream, however it is cut, and appends what they yield.
  ///
  /// - Throws: `CodecError` with the place in the compressed stream; from then on, every call throws the same.
  package func append(_ input: UnsafeRawBufferPointer, to output: inout [UInt8]) throws(CodecError) {
    if case .failed(let failure) = state { throw failure }
    guard let decoder else { return unsafe output.append(contentsOf: input) }
    do throws(CodecError) {
      unsafe try append(input, through: decoder, to: &output)
    } catch {
      let failure = CodecError(error.kind, "\(error.detail), at byte \(consumedBytes) of the \(codec) stream")
      state = .failed(failure)
      throw failure
    }
  }

  /// Says that the input is at its end.
  ///
  /// - Throws: `.truncated` when it ended inside of a frame, or before the first.
  package func finish() throws(CodecError) {
    switch state {
    case .failed(let failure): throw failure
    case .betweenFrames where decoder == nil || consumedBytes > 0: return
    case .betweenFrames, .inFrame:
      throw CodecError(.truncated, "the \(codec) stream ends after \(consumedBytes) bytes, in the middle of a frame")
    }
  }

  private func append(
    _ input: UnsafeRawBufferPointer, through decoder: any FrameDecoder, to output: inout [UInt8]
  ) throws(CodecError) {
    var rest = unsafe input
    var produced = 0
    while true {
      if case .betweenFrames = state {
        guard unsafe !rest.isEmpty else { return }
        try decoder.startFrame()
        state = .inFrame
      }
      let step = unsafe try decoder.step(rest, into: piece)
      unsafe output.append(contentsOf: piece[..<step.producedBytes])
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[step.consumedBytes...])
      consumedBytes += Int64(step.consumedBytes)
      produced += step.producedBytes
      guard produced <= maximumBytesPerAppend else {
        throw CodecError(.tooLarge, "\(input.count) bytes expand to more than \(maximumBytesPerAppend)")
      }
      if step.endsFrame {
        state = .betweenFrames
      } else if unsafe rest.isEmpty && step.producedBytes < piece.count {
        return
      } else if step.isIdle {
        throw CodecError(.corrupt, "the decoder makes no progress")
      }
    }
  }
}

extension ByteStreamDecompressor {
  /// How a file is compressed: by its first bytes, and where these say nothing, by its name.
  ///
  /// - Parameter firstBytes: four or more are enough; fewer only if the file is that short.
  package static func codec(forFileName name: String, firstBytes: UnsafeRawBufferPointer) -> CompressionCodec {
    if unsafe firstBytes.starts(with: [0x1f, 0x8b]) { return .gzip }
    if unsafe firstBytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
    // A skippable frame (RFC 8878, 3.1.2): parallel compressors write one in front.
    if unsafe firstBytes.count >= 4 && firstBytes[0] & 0xf0 == 0x50
      && firstBytes[1...3].elementsEqual([0x2a, 0x4d, 0x18])
    {
      return .zstd
    }
    let lowercase = name.lowercased()
    if lowercase.hasSuffix(".gz") || lowercase.hasSuffix(".gzip") { return .gzip }
    if lowercase.hasSuffix(".zst") || lowercase.hasSuffix(".zstd") { return .zstd }
    return .none
  }
}

@available(*, unavailable, message: "a stream is read by one thread")
extension ByteStreamDecompressor: Sendable {}
