internal import CCodecs

/// gzip members (RFC 1952) through zlib.
@safe final class GzipDecoder: FrameDecoder {
  /// 32 KiB window, and a gzip wrapper rather than a zlib one (`inflateInit2` in zlib.h).
  private static let windowBits: Int32 = 15 + 16

  /// On the heap because zlib's state points back to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isOpen = false

  init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if isOpen { unsafe inflateEnd(stream) }
    unsafe stream.deallocate()
  }

  func startFrame() throws(CodecError) {
    let status =
      if isOpen {
        unsafe inflateReset(stream)
      } else {
        unsafe inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      }
    guard status == Z_OK else { throw CodecError(.tooLarge, "no memory for a gzip decoder") }
    isOpen = true
  }

  func step(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> DecodingStep {
    let offered = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    // zlib's input pointer is not const for historical reasons; inflate only reads through it.
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe stream.pointee.avail_in = offered
    unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_out = room
    let status = unsafe inflate(stream, Z_NO_FLUSH)
    switch status {
    case Z_OK, Z_STREAM_END, Z_BUF_ERROR: break
    case Z_MEM_ERROR: throw CodecError(.tooLarge, "no memory for a gzip decoder")
    default: throw CodecError(.corrupt, "gzip: \(message)")
    }
    return unsafe DecodingStep(
      consumedBytes: Int(offered - stream.pointee.avail_in), producedBytes: Int(room - stream.pointee.avail_out),
      endsFrame: status == Z_STREAM_END)
  }

  private var message: String {
    unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "invalid data"
  }
}
