internal import CCodecs

/// gzip members (RFC 1952) through zlib, one per input.
@safe final class GzipEncoder {
  /// 32 KiB window, and a gzip wrapper rather than a zlib one (`deflateInit2` in zlib.h).
  private static let windowBits: Int32 = 15 + 16
  private static let memoryLevel: Int32 = 8

  /// On the heap because zlib's state points back to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isOpen = false

  init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if isOpen { unsafe deflateEnd(stream) }
    unsafe stream.deallocate()
  }

  func compress(_ input: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
    try start()
    let capacity = unsafe Int(deflateBound(stream, UInt(input.count)))
    guard let offered = UInt32(exactly: input.count), let room = UInt32(exactly: capacity) else {
      throw CodecError(.unsupported, "gzip: \(input.count) bytes in one member")
    }
    return unsafe try [UInt8](capacity: capacity) { output throws(CodecError) in
      // zlib's input pointer is not const for historical reasons; deflate only reads through it.
      unsafe stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
      unsafe stream.pointee.avail_in = offered
      unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe stream.pointee.avail_out = room
      guard unsafe deflate(stream, Z_FINISH) == Z_STREAM_END else {
        throw CodecError(.tooLarge, "gzip: cannot compress \(input.count) bytes into \(capacity)")
      }
      return unsafe Int(room - stream.pointee.avail_out)
    }
  }

  private func start() throws(CodecError) {
    let status =
      if isOpen {
        unsafe deflateReset(stream)
      } else {
        unsafe deflateInit2_(
          stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, Self.windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY,
          ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      }
    guard status == Z_OK else { throw CodecError(.tooLarge, "no memory for a gzip encoder") }
    isOpen = true
  }
}
