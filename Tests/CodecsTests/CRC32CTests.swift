import Codecs
import Core
import Testing

@Suite struct CRC32CTests {
  /// The examples of RFC 3720, appendix B.4, and the usual check value.
  @Test(
    arguments: [
      ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
      ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
      ([UInt8](0..<32), 0x46dd_794e),
      ([UInt8]((0..<32).reversed()), 0x113f_db5c),
      (
        [
          0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0,
          0x18,
          0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
        ], 0xd996_3a56
      ),
      (Array("123456789".utf8), 0xe306_9283),
      ([], 0),
    ] as [([UInt8], UInt32)])
  func knownVectors(bytes: [UInt8], expected: UInt32) {
    #expect(checksum(bytes[...]) == expected)
    #expect(portable(bytes[...]) == expected)
  }

  /// Every length around the sizes at which the implementation changes its step, at every alignment, against the
  /// definition.
  @Test func agreesWithTheBitByBitDefinition() {
    var generator = SplitMix64(seed: 1)
    let bytes = Shape.noise.bytes(40_000, using: &generator)
    let borders = [0, 8, 3 * 256, 6 * 256, 3 * 4_096, 3 * 4_096 + 3 * 256, 6 * 4_096]
    for border in borders {
      for count in max(0, border - 9)...(border + 9) {
        let offset = Int.random(in: 0..<8, using: &generator)
        let part = bytes[offset..<offset + count]
        let expected = bitByBit(part)
        #expect(checksum(part) == expected, "\(count) bytes from \(offset)")
        #expect(portable(part) == expected, "\(count) bytes from \(offset)")
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func extendsFromPieceToPiece(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let bytes = Shape.noise.bytes(30_000, using: &generator)
    var crc: UInt32 = 0
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 0...5_000, using: &generator))
      crc = unsafe bytes[start..<end].withUnsafeBytes { unsafe CRC32C.checksum($0, extending: crc) }
      start = end
    }
    #expect(crc == checksum(bytes[...]), "seed \(seed)")
  }

  private func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe CRC32C.checksum($0) }
  }

  private func portable(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe CRC32C.portableChecksum($0) }
  }

  /// Division by the polynomial, one bit at a time.
  private func bitByBit(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var state: UInt32 = .max
    for byte in bytes {
      state ^= UInt32(byte)
      for _ in 0..<8 { state = state & 1 == 1 ? (state >> 1) ^ 0x82f6_3b78 : state >> 1 }
    }
    return ~state
  }
}
