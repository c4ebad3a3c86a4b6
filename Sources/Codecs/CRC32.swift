internal import CCodecs

/// CRC-32 as in gzip and Ethernet (polynomial 0x04C11DB7): the checksum of Parquet's pages.
package enum CRC32 {
  /// - Parameter crc: the checksum of the bytes that come before these.
  package static func checksum(_ bytes: UnsafeRawBufferPointer, extending crc: UInt32 = 0) -> UInt32 {
    unsafe UInt32(
      truncatingIfNeeded: crc32_z(UInt(crc), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
