import Core
import Testing
@testable import headrace

@Suite struct FiguresTests {
  @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_000, "-1,000")])
  func groups(number: Int, text: String) { #expect(Figures.grouped(number) == text) }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (999.6, "1.00 kB"), (1_500, "1.50 kB"), (17_340_000, "17.3 MB"),
    (123_456_789, "123 MB"),
    (9.996e6, "10.0 MB"), (99.96e6, "100 MB"), (2e16, "20000 TB"),
  ])
  func scalesBytes(count: Double, text: String) { #expect(Figures.bytes(count) == text) }

  @Test(arguments: [(0.4, "0"), (352_100, "352k"), (1_180_000, "1.18M")])
  func scalesCounts(count: Double, text: String) { #expect(Figures.short(count) == text) }

  @Test(arguments: [(0, "0.00 s"), (412, "0.41 s"), (59_999, "60.00 s"), (60_000, "1:00"), (3_729_000, "1:02:09")])
  func tellsDurations(milliseconds: Int64, text: String) {
    #expect(Figures.duration(milliseconds: milliseconds) == text)
  }

  @Test(arguments: [(604_800_000, "7 days"), (86_400_000, "1 day"), (5_400_000, "90 minutes"), (1_001, "1001 ms")])
  func tellsAges(milliseconds: Int64, text: String) { #expect(Figures.age(milliseconds: milliseconds) == text) }
}

@Suite struct TableTests {
  @Test func columnsAreAsWideAsTheirWidestCell() {
    var table = Table([("TOPIC", .left), ("N", .right), ("NOTE", .left)])
    table.append(["a", "1,000", ""])
    table.append(["flights", "7", "x"])
    #expect(table.text == "TOPIC        N  NOTE\na        1,000\nflights      7  x\n")
  }
}

@Suite struct Base64Tests {
  /// RFC 4648, section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func encodes(text: String, encoded: String) { #expect(Base64.encode(Array(text.utf8)) == encoded) }

  @Test func usesTheWholeAlphabet() { #expect(Base64.encode([0xff, 0xef, 0xbe]) == "/+++") }
}

@Suite struct JSONWriterTests {
  @Test func nests() {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("a")
      writer.array { writer in
        writer.number(1)
        writer.null()
        writer.object {
          $0.key("é\n"); $0.boolean(true)
        }
        writer.array { _ in }
      }
      writer.key("b")
      writer.string("\"")
    }
    #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":[1,null,{"é\n":true},[]],"b":"\""}"#)
  }
}

@Suite struct ShownRecordTests {
  private func shown(
    key: [UInt8]? = nil, headers: [(name: String, value: [UInt8]?)] = [], value: [UInt8]?, isJSON: Bool = false,
    timestamp: Int64 = 5
  ) -> String {
    var writer = JSONWriter()
    ShownRecord(
      topic: "t", partition: 1, offset: 2, timestampMilliseconds: timestamp, key: key, headers: headers, value: value,
      isJSON: isJSON
    ).write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private let prefix = #"{"topic":"t","partition":1,"offset":2,"timestamp":5,"#

  @Test func jsonIsEmbeddedOnOneLine() {
    let text = shown(key: Array("UA".utf8), value: Array("{\n \"a\": 1\r\n}".utf8), isJSON: true)
    #expect(text == prefix + #""key":"UA","headers":[],"value":{  "a": 1  }}"#)
  }

  @Test func textIsAStringAndSaysSo() {
    #expect(
      shown(value: Array("a\n".utf8)) == prefix + #""key":null,"headers":[],"value":"a\n","value_encoding":"string"}"#)
    #expect(shown(value: []) == prefix + #""key":null,"headers":[],"value":"","value_encoding":"string"}"#)
  }

  @Test func bytesAreBase64AndSaySo() {
    let text = shown(key: [0xff], headers: [("h", [0xfe]), ("h", nil), ("h", [0x61])], value: [0xff, 0])
    #expect(
      text == prefix
        + #""key":"/w==","key_encoding":"base64","headers":[{"key":"h","value":"/g==","encoding":"base64"},"#
        + #"{"key":"h","value":null},{"key":"h","value":"a"}],"value":"/wA=","value_encoding":"base64"}"#)
  }

  @Test func aTombstoneIsNoJSONNull() {
    #expect(shown(value: nil).hasSuffix(#""value":null,"value_encoding":"none"}"#))
    #expect(shown(value: Array("null".utf8), isJSON: true).hasSuffix(#""value":null}"#))
  }

  @Test func noTimestampIsNull() { #expect(shown(value: nil, timestamp: -1).contains(#""timestamp":null"#)) }
}
