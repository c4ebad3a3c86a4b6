import Contracts
import Core
import Testing

@Suite struct JSONFieldReaderTests {
  static let paths = ["a", "b", "abc", "a.b", "b.a.c", "long_field_name", "a\\.b", "é", "a"]

  /// Many documents a call, good and bad ones mixed: each must be read as the oracle reads it alone.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func agreesWithOracle(seed: UInt64) throws {
    var documents = RandomDocuments(seed: seed)
    var reader = try JSONFieldReader(fields: Self.paths.map { try FieldPath($0) })
    for round in 0..<120 {
      var bytes: [UInt8] = []
      var ends: [UInt32] = []
      for _ in 0..<(1 + documents.random.below(40)) {
        bytes += documents.document() + Array("\n".utf8)
        ends.append(UInt32(bytes.count))
      }
      let invalid = try reader.read(bytes.span, ends: ends)
      var expectedInvalid = 0
      for document in ends.indices {
        let range = (document == 0 ? 0 : Int(ends[document - 1]))..<Int(ends[document])
        let expected = NaiveJSON.parse(bytes[range])
        if expected == nil { expectedInvalid += 1 }
        let comment = "seed \(seed) round \(round): \(String(decoding: bytes[range], as: UTF8.self).debugDescription)"
        let fault = reader.fault(document: document)
        try #require((fault == nil) == (expected != nil), "\(comment) \(String(describing: fault))")
        if let fault { #expect((range.lowerBound...range.upperBound).contains(fault.position), "\(comment)") }
        guard let expected else { continue }
        for field in reader.fields.indices {
          let names = reader.fields[field].names.map { Array($0.utf8) }
          let found = reader.value(document: document, field: field)
          try #require(describe(found, in: bytes) == describe(expected.field(names[...])), "\(comment) \(names)")
        }
      }
      #expect(invalid == expectedInvalid)
    }
  }

  private func describe(_ value: JSONValue, in bytes: [UInt8]) -> String {
    guard value.kind != .missing else { return "missing" }
    var text: [UInt8] = []
    if value.kind == .escapedString { JSONText.unescape(Array(bytes[value.range]).span, into: &text) }
    return "\(value.kind) \(value.range) \(String(decoding: text, as: UTF8.self))"
  }

  private func describe(_ found: NaiveJSON.Located?) -> String {
    guard let found else { return "missing" }
    let kind =
      switch found.json {
      case .null: "null"
      case .true: "true"
      case .false: "false"
      case .integer: "integer"
      case .decimal: "decimal"
      case .string(_, let hasEscapes): hasEscapes ? "escapedString" : "string"
      case .array: "array"
      case .object: "object"
      }
    var text: [UInt8] = []
    if case .string(let unescaped, true) = found.json { text = unescaped }
    return "\(kind) \(found.range) \(String(decoding: text, as: UTF8.self))"
  }

  struct Example: CustomTestStringConvertible {
    var json: String
    var reason: JSONFault.Reason
    var position: Int
    var testDescription: String { json }

    init(_ json: String, _ reason: JSONFault.Reason, _ position: Int) {
      (self.json, self.reason, self.position) = (json, reason, position)
    }
  }

  @Test(arguments: [
    Example("", .blank, 0), Example(" \t", .blank, 2), Example("{\"a\":1,}", .expectedKey, 7),
    Example("{\"a\" 1}", .expectedColon, 5), Example("{\"a\":}", .expectedValue, 5),
    Example("{\"a\":1 \"b\":2}", .expectedCommaOrEnd, 7), Example("{\"a\":1", .expectedCommaOrEnd, 6),
    Example("{\"a\":01}", .invalidNumber, 5), Example("{\"a\":1.}", .invalidNumber, 5),
    Example("{\"a\":NaN}", .expectedValue, 5), Example("{\"a\":tru}", .expectedValue, 5),
    Example("{\"a\":\"\\x\"}", .invalidEscape, 6), Example("{\"a\":\"b}", .unclosedString, 5),
    Example("{\"a\":\"\u{1}\"}", .controlCharacter, 6), Example("{} {}", .trailingContent, 3),
    Example("{'a':1}", .expectedKey, 1), Example("{\"a\":1}}", .trailingContent, 7),
    Example("[1,]", .expectedValue, 3), Example("{\"a\":1]", .expectedCommaOrEnd, 6),
  ])
  func namesTheFault(example: Example) throws {
    var reader = try JSONFieldReader(fields: [FieldPath("a")])
    let good = Array("{\"a\":1}\n".utf8)
    let bytes = good + Array(example.json.utf8) + Array("\n".utf8) + good
    let ends = [good.count, bytes.count - good.count, bytes.count].map(UInt32.init)
    try reader.read(bytes.span, ends: ends)
    #expect(reader.fault(document: 0) == nil && reader.fault(document: 2) == nil)
    let found = reader.fault(document: 1)
    let fault = try #require(found)
    #expect(fault.reason == example.reason)
    // What is missing at the end of a document is reported behind its line feed or before it.
    let position = fault.position - good.count
    #expect(
      position == example.position
        || position == example.json.utf8.count + 1 && example.position == example.json.utf8.count)
  }
}
