import Contracts
import Core
import NIOCore
import Testing

@testable import Serving

@Suite struct TimeTextTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999Z"), (1_793_498_400_010, "2026-11-01T02:00:00.010Z"),
      (951_782_400_000, "2000-02-29T00:00:00Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
      (253_402_300_800_000, "+10000-01-01T00:00:00Z"), (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
    ] as [(Int64, String)])
  func `milliseconds as RFC 3339`(milliseconds: Int64, text: String) {
    var buffer = ByteBuffer()
    buffer.writeTime(milliseconds: milliseconds)
    #expect(String(buffer: buffer) == text)
  }

  @Test func `what is written reads back`() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<5_000 {
      let milliseconds = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
      var buffer = ByteBuffer()
      buffer.writeTime(milliseconds: milliseconds)
      #expect(RFC3339.milliseconds(String(buffer: buffer)) == milliseconds)
    }
  }

  @Test(arguments: [Int64.min, -1, 0, 7, 10, .max])
  func `integers`(number: Int64) {
    var buffer = ByteBuffer()
    buffer.writeDecimal(number)
    #expect(String(buffer: buffer) == String(number))
    let text = Array(String(number).utf8)
    #expect(Int64(ascii: text.span) == number)
  }

  @Test(arguments: ["", "-", "9223372036854775808", "-9223372036854775809", "1a", "+1"])
  func `texts that are no integers`(text: String) { #expect(Int64(ascii: Array(text.utf8).span) == nil) }

  @Test(
    arguments: [
      (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (951_782_399_999, "Mon, 28 Feb 2000 23:59:59 GMT"), (-1_000, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ] as [(Int64, String)])
  func `dates of answers`(milliseconds: Int64, text: String) {
    #expect(DateHeader().text(milliseconds: milliseconds) == text)
  }

  @Test func `microseconds keep what they have`() {
    var buffer = ByteBuffer()
    for microseconds in [1_000_000, 1_500_000, 1_500_001] as [Int64] {
      buffer.writeTime(microseconds: microseconds)
      buffer.write(" ")
    }
    let texts = "1970-01-01T00:00:01Z 1970-01-01T00:00:01.500Z 1970-01-01T00:00:01.500001Z "
    #expect(String(buffer: buffer) == texts)
  }

  @Test(arguments: [Int64.min, .max])
  func `the ends of time do not trap`(milliseconds: Int64) {
    var buffer = ByteBuffer()
    buffer.writeTime(milliseconds: milliseconds)
    #expect(buffer.readableBytes > 20)
  }
}
