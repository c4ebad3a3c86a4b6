internal import CCodecs

/// Values of 8 bytes as 8 streams of bytes, and back (Parquet's BYTE_STREAM_SPLIT): exponents of floating point numbers
/// then lie side by side, where a compressor finds them alike.
package enum ByteStreams {
  /// - Precondition: both buffers have 8 bytes for each of `count` values.
  package static func split(_ values: UnsafeRawPointer, count: Int, into streams: UnsafeMutableRawPointer) {
    unsafe headrace_split_bytes8(
      values.assumingMemoryBound(to: UInt8.self), count, streams.assumingMemoryBound(to: UInt8.self))
  }

  /// The values from `first` on, of streams of `streamBytes` bytes each.
  ///
  /// - Precondition: `first + count` ≤ `streamBytes`.
  package static func join(
    _ streams: UnsafeRawPointer, streamBytes: Int, first: Int, count: Int, into values: UnsafeMutableRawPointer
  ) {
    unsafe headrace_join_bytes8(
      streams.assumingMemoryBound(to: UInt8.self), streamBytes, first, count,
      values.assumingMemoryBound(to: UInt8.self))
  }
}
