internal import CCodecs

/// CRC-32C (Castagnoli): the checksum of Kafka's record batches and of our own files (RFC 3720, appendix B.4).
package enum CRC32C {
  /// - Parameter crc: the checksum of the bytes that come before these, so that a long run is checked piece by piece.
  package static func checksum(_ bytes: UnsafeRawBufferPointer, extending crc: UInt32 = 0) -> UInt32 {
    unsafe headrace_crc32c(crc, bytes.baseAddress, bytes.count)
  }

  /// The same without the CPU's CRC instruction: for tests and measurements.
  package static func portableChecksum(_ bytes: UnsafeRawBufferPointer, extending crc: UInt32 = 0) -> UInt32 {
    unsafe headrace_crc32c_portable(crc, bytes.baseAddress, bytes.count)
  }
}
