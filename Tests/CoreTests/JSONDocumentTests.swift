import Testing

@testable import Core

@Suite struct JSONDocumentTests {
  private func fault(_ text: String, depthMax: Int = 8) -> JSONFault? {
    do throws(JSONFault) {
      _ = try JSONDocument(Array(text.utf8), depthMax: depthMax)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    "null", " true ", "false", "0", "-12.5e+3", "\"\"", "[]", "{}", "[ 1 , [ ] , {\"a\" : null } ]",
    "\"\\u00e9\\n\\/\"",
    "{\"a\":1,\"a\":2}", "\t[1]\r\n",
  ])
  func `takes every form of a document`(text: String) { #expect(fault(text) == nil) }

  @Test(arguments: [
    ("", JSONFault.Reason.blank, 0), ("  ", .blank, 2), ("nul", .expectedValue, 0), ("+1", .expectedValue, 0),
    ("01", .invalidNumber, 0), ("1.", .invalidNumber, 0), ("1 2", .trailingContent, 2), ("[1", .expectedCommaOrEnd, 2),
    ("[1,]", .expectedValue, 3), ("{\"a\"}", .expectedColon, 4), ("{a:1}", .expectedKey, 1),
    ("{\"a\":1,}", .expectedKey, 7), ("\"a", .unclosedString, 0), ("\"\\x\"", .invalidEscape, 1),
    ("\"\u{1}\"", .controlCharacter, 1), ("[[[[[[[[[1]]]]]]]]]", .tooDeep, 8),
  ])
  func `says what is wrong with anything else, and where`(text: String, reason: JSONFault.Reason, position: Int) {
    #expect(fault(text) == JSONFault(reason: reason, position: position))
  }

  @Test func `texts must be UTF-8, and escapes give their characters`() throws {
    #expect(throws: JSONFault.self) { try JSONDocument([0x22, 0xff, 0x22], depthMax: 2) }
    let text = try JSONDocument(Array(#""a\u0041\ud83d\ude00\ud800x\"""#.utf8), depthMax: 2).string
    #expect(text == "aA\u{1F600}\u{FFFD}x\"")
    let object = try JSONDocument(Array(#"{"a": 1, "b": [12.0], "a": 3}"#.utf8), depthMax: 4)
    #expect(object["a"]?.integer == 3)
    #expect(object["b"]?.range == 14..<20)
  }
}
