import Testing

@testable import Parquet

struct HashTests {
  private func hash(_ text: String) -> UInt64 {
    unsafe Array(text.utf8).withUnsafeBytes { unsafe XXHash64.hash($0) }
  }

  /// Of the xxHash project's own tool (`xxhsum -H1`).
  @Test func `XXH64 gives the published values`() {
    #expect(hash("") == 0xef46_db37_51d8_e999)
    #expect(hash("a") == 0xd24e_c4f1_a98c_6e5b)
    #expect(hash("abc") == 0x44bc_2cf5_ad77_0999)
    #expect(hash("Nobody inspects the spammish repetition") == 0xfbce_a83c_8a37_8bf1)
  }

  @Test func `a bloom filter never denies what it holds`() throws {
    var filter = ParquetBloomFilter(distinctCount: 1_000, falsePositives: 0.01, maximumBytes: 1 << 20)
    for value in 0..<1_000 { filter.insert(hash("key-\(value)")) }
    #expect((0..<1_000).allSatisfy { filter.contains(hash("key-\($0)")) })
    let wrong = (0..<10_000).count { filter.contains(hash("absent-\($0)")) }
    #expect(wrong < 200)
  }
}
