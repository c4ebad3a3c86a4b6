internal import Codecs

extension RawSpan {
  /// The big-endian integer at a byte offset. The caller has checked that it is there; else this traps.
  @inline(__always)
  func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Value.Type = Value.self) -> Value
  {
    Value(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  /// CRC-32C of all bytes, continuing from the checksum of what stands in front of them.
  func crc32c(extending previous: UInt32 = 0) -> UInt32 {
    unsafe withUnsafeBytes { unsafe CRC32C.checksum($0, extending: previous) }
  }
}

extension [UInt8] {
  mutating func append(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}

extension MutableRawSpan {
  /// Writes an integer in big-endian order. The caller has made room; else this traps.
  @inline(__always)
  mutating func storeBigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
  }
}
