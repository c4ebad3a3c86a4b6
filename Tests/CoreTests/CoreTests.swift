import Core
import Testing

@Suite struct PartitionerTests {
  /// Figures of Apache Kafka's UtilsTest.testMurmur2.
  @Test(arguments: [
    ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829), ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
  ])
  func murmur2MatchesJava(key: String, expected: Int32) {
    let bytes = Array(key.utf8)
    let hash = unsafe bytes.withUnsafeBytes { unsafe Murmur2.hash($0) }
    #expect(Int32(bitPattern: hash) == expected)
  }

  @Test func crc32MatchesTheCheckValueOfItsDefinition() {
    let bytes = Array("123456789".utf8)
    #expect(unsafe bytes.withUnsafeBytes { unsafe CRC32.checksum($0) } == 0xcbf4_3926)
  }
}

@Suite struct QuantityTests {
  @Test func durations() {
    #expect(Quantity.milliseconds("100ms") == 100)
    #expect(Quantity.milliseconds("24h") == 86_400_000)
    #expect(Quantity.milliseconds("5min") == 300_000)
    #expect(Quantity.milliseconds("-1s") == nil)
    #expect(Quantity.milliseconds("9223372036854775807d") == nil)
    #expect(Quantity.milliseconds("soon") == nil)
  }

  @Test func sizes() {
    #expect(Quantity.bytes("128MiB") == 134_217_728)
    #expect(Quantity.bytes("4096") == 4_096)
    #expect(Quantity.bytes("-1") == nil)
  }
}
