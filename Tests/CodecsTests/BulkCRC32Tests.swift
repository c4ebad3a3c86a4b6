import Codecs
import Core
import Testing

struct BulkCRC32Tests {
  private func checksum(_ bytes: [UInt8], cut: Int = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { bytes in
      let head = unsafe BulkCRC32.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
      return unsafe BulkCRC32.checksum(UnsafeRawBufferPointer(rebasing: bytes[cut...]), extending: head)
    }
  }

  /// The check value of the CRC catalogue.
  @Test func `the published check value`() { #expect(checksum(Array("123456789".utf8)) == 0xcbf4_3926) }

  @Test func `every length and cut agrees with zlib`() {
    var generator = SplitMix64(seed: 9)
    for length in 0..<700 {
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      let expected = unsafe bytes.withUnsafeBytes { unsafe BulkCRC32.portableChecksum($0) }
      #expect(checksum(bytes) == expected)
      #expect(checksum(bytes, cut: Int(generator.next() % UInt64(length + 1))) == expected)
    }
  }
}
