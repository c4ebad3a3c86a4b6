import Testing

@testable import Delta

@Suite struct LogNameTests {
  @Test func `knows commits and checkpoints and nothing else`() {
    #expect(LogName("00000000000000000007.json") == .commit(7))
    #expect(LogName("00000000000000000010.checkpoint.parquet") == .checkpoint(10, part: 1, parts: 1))
    #expect(
      LogName("00000000000000000010.checkpoint.0000000002.0000000003.parquet") == .checkpoint(10, part: 2, parts: 3))
    for text in [
      "7.json", "00000000000000000007.json.tmp", "00000000000000000007.crc", "_last_checkpoint", "",
      "00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
      "00000000000000000010.checkpoint.0000000004.0000000003.parquet",
      "00000000000000000010.checkpoint.0000000000.0000000003.parquet", "99999999999999999999.json",
      "-0000000000000000007.json", "00000000000000000000.00000000000000000009.compacted.json",
      "04611686018427387904.json",
    ] { #expect(LogName(text) == nil, "\(text)") }
  }

  @Test func `names are written as they are read`() {
    for name in [
      LogName.commit(0), .commit(LogName.versionMax), .checkpoint(5, part: 1, parts: 1),
      .checkpoint(5, part: 2, parts: 9),
    ] {
      #expect(LogName(name.text) == name)
    }
  }
}
