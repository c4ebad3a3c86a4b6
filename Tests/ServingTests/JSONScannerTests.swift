import Contracts
import Core
import Testing

@testable import Serving

@Suite struct JSONScannerTests {
  private static func error(_ text: [UInt8], depthMax: Int = 32) -> JSONSyntaxError? {
    var scanner = JSONScanner(text.span, depthMax: depthMax)
    do throws(JSONSyntaxError) {
      _ = try scanner.value()
      try scanner.end()
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    "null", "true", "false", "0", "-0", "10", "-1.5e+10", "1E5", "\"\"", "\"a\\u00e9\\n\"", "[]", "{}", " [ 1 , 2 ] ",
    "{\"a\":{\"b\":[{\"c\":null}]},\"d\":[[],[[]]]}", "[\"\\ud83d\\ude00\"]", "\"żółć\"",
  ])
  func `takes what RFC 8259 allows`(text: String) { #expect(Self.error(Array(text.utf8)) == nil) }

  @Test(arguments: [
    ("", "expectedValue", 0), ("nul", "expectedValue", 0), ("01", "badNumber", 0), ("-", "badNumber", 0),
    ("1.", "badNumber", 0), ("1e", "badNumber", 0), (".5", "expectedValue", 0), ("+1", "expectedValue", 0),
    ("[1,]", "expectedValue", 3), ("[1 2]", "expectedComma", 3), ("{\"a\":1,}", "expectedName", 7),
    ("{a:1}", "expectedName", 1), ("{\"a\" 1}", "expectedColon", 5), ("\"a", "unterminatedString", 0),
    ("\"\u{1}\"", "controlCharacter", 1), ("\"\\x\"", "badEscape", 1), ("\"\\u12g4\"", "badEscape", 1),
    ("1 2", "expectedEnd", 2), ("[}", "expectedValue", 1), ("NaN", "expectedValue", 0), ("[", "expectedValue", 1),
  ])
  func `says where and why a text is not JSON`(text: String, reason: String, offset: Int) {
    let error = Self.error(Array(text.utf8))
    #expect(error.map { "\($0.reason)" } == reason)
    #expect(error?.offset == offset)
  }

  @Test func `nesting has an end`() {
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(Self.error(deep)?.reason == .tooDeep)
    let fits = [UInt8](repeating: UInt8(ascii: "["), count: 32) + [UInt8](repeating: UInt8(ascii: "]"), count: 32)
    #expect(Self.error(fits) == nil)
    #expect(Self.error([UInt8(ascii: "[")] + fits + [UInt8(ascii: "]")])?.reason == .tooDeep)
  }

  /// simdjson, which `publish` reads with, is the oracle: both take a text or neither does.
  @Test(arguments: [UInt64(1), 2, 3])
  func `agrees with simdjson about random texts`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var reader = try JSONFieldReader(fields: [])
    for round in 0..<2_000 {
      var text = Array("{}".utf8)
      Self.write(&text, &random, depth: 0)
      if round % 2 == 1 { Self.mutate(&text, &random) }
      guard (try? UTF8Span(validating: text.span)) != nil else { continue }
      try reader.read(text.span, ends: [UInt32(text.count)])
      let isValid = reader.fault(document: 0) == nil
      let shown = String(decoding: text, as: UTF8.self)
      #expect((Self.error(text, depthMax: 64) == nil) == isValid, "seed \(seed) round \(round): \(shown)")
    }
  }

  /// An object at the top, because the oracle wants one.
  private static func write(_ text: inout [UInt8], _ random: inout SplitMix64, depth: Int) {
    if depth == 0 { text.removeAll() }
    let kind = depth == 0 ? 0 : Int.random(in: 0..<(depth > 5 ? 6 : 8), using: &random)
    let count = Int.random(in: 0..<4, using: &random)
    switch kind {
    case 0, 7:
      if depth > 5 { return text += Array("null".utf8) }
      text.append(UInt8(ascii: "{"))
      for index in 0..<count {
        text += Array((index > 0 ? ",\"k\(index)\" :" : "\"k\(index)\":").utf8)
        write(&text, &random, depth: depth + 1)
      }
      text.append(UInt8(ascii: "}"))
    case 6:
      text.append(UInt8(ascii: "["))
      for index in 0..<count {
        if index > 0 { text += Array(", ".utf8) }
        write(&text, &random, depth: depth + 1)
      }
      text.append(UInt8(ascii: "]"))
    case 1: text += Array(String(Int16.random(in: .min ... .max, using: &random)).utf8)
    case 2: text += Array(String(Double.random(in: -1e3...1e3, using: &random)).utf8)
    case 3: text += Array("\"a\\\"\\u0041żó\"".utf8)
    case 4: text += Array("true".utf8)
    default: text += Array("null".utf8)
    }
  }

  private static func mutate(_ text: inout [UInt8], _ random: inout SplitMix64) {
    let interesting = Array("{}[]\",:0-+eE.\\utfn \u{1}".utf8)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let at = Int.random(in: 0..<text.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: text[at] = interesting[Int.random(in: 0..<interesting.count, using: &random)]
      case 1: text.insert(interesting[Int.random(in: 0..<interesting.count, using: &random)], at: at)
      default: if text.count > 1 { text.remove(at: at) }
      }
    }
  }
}
