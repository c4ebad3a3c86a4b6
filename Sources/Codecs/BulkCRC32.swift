internal import CCodecs

/// CRC-32 as in gzip and Ethernet (polynomial 0x04C11DB7): the checksum of Parquet's pages, by the
/// megabyte. `Core.CRC32` is for keys of a few bytes.
package enum BulkCRC32 {
  /// - Parameter crc: the checksum of the bytes that come before these.
  package static func checksum(_ bytes: UnsafeRawBufferPointer, extending crc: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return crc }
    return unsafe headrace_crc32(crc, base, bytes.count)
  }

  /// The same by zlib alone: for tests.
  package static func portableChecksum(_ bytes: UnsafeRawBufferPointer, extending crc: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return crc }
    return unsafe headrace_crc32_portable(crc, base, bytes.count)
  }
}
