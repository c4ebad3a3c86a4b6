import Columns
import Core
import Testing

@testable import Expressions

@Suite struct SyntaxTests {
  /// The offending part of each text stands between angle brackets.
  @Test(
    arguments: [
      ("i + «»", "a value"), ("i «i»", "an operator or the end"), ("i + «)»", "a value"), ("(i«»", "')'"),
      ("i < 3 «<» 4", "and, or, or the end"), ("«s» + 1", "a number for '+'"), ("1 + «yes»", "a number for '+'"),
      ("i = «'7'»", "integer, as the other"), ("«i» and yes", "a boolean for and"),
      ("hour_of(«i»)", "a timestamp for hour_of"),
      ("«round()»", "round(x[, places])"), ("cast(i as «dubble»)", nil), ("case «end»", nil), ("«15x»", nil),
      ("«'open»", nil),
      ("i «#» 2", nil), ("t + «»", "a value"), ("«t + t»", nil), ("«price // 2»", "two integers"),
      ("s like «i»", "a text in single quotes"), ("«cast(raw as double)»", nil),
      ("case when «i» then 1 end", "a boolean for when"),
      ("coalesce(i, «s»)", "integer, as the other"), ("«null»", nil),
      ("round(x, «30»)", "a whole number from -18 to 18"),
    ] as [(String, String?)])
  func `an error names its place`(marked: String, expected: String?) throws {
    let text = marked.filter { $0 != "«" && $0 != "»" }
    let error = try #require(Sample.error(text))
    let start = try #require(
      marked.utf8.split(separator: UInt8(0xc2), maxSplits: 1, omittingEmptySubsequences: false).first)
    #expect(error.offset == start.count, "\(text): \(error)")
    if let open = marked.firstIndex(of: "«"), let close = marked.firstIndex(of: "»"), text != "'open" {
      #expect(error.length == marked[marked.index(after: open)..<close].utf8.count, "\(text): \(error)")
    }
    if let expected { #expect(error.expected == expected, "\(text): \(error)") }
  }

  @Test(arguments: [
    ("pricee + 1", "price"), ("lenght(s)", "length"), ("ceiling(x)", "ceil"), ("cast(i as dobule)", "double"),
    ("hour_of(t, 'Europe/Berlim')", "Europe/Berlin"), ("date_trunc('hours', t)", "hour"), ("max(i)", "greatest"),
  ])
  func `an error names what was meant`(text: String, nearest: String) throws {
    #expect(Sample.error(text)?.nearest == nearest)
  }

  @Test(arguments: [
    ("mean(x) over 1h, 6h", 0, 8), ("amount > 3 where y over 1h", 0, 11), ("sum(a, b), c", 0, 9), ("  x  ", 0, 5),
    ("mean(a * (b + 1)) over 1h", 5, 16), ("x", 0, 1),
  ])
  func `a prefix ends where the expression does`(text: String, from: Int, end: Int) throws {
    #expect(try ParsedExpression.prefix(of: text, from: from).end == end)
  }

  @Test func `places and names of a prefix count from the beginning of the text`() throws {
    let (parsed, _) = try ParsedExpression.prefix(of: "mean(naïve + nope) over 1h", from: 5)
    #expect(parsed.names.map(\.name) == ["naïve", "nope"] && parsed.names.map(\.offset) == [5, 14])
    let scope = [ExpressionField(name: "naïve", type: .integer)]
    #expect(throws: ExpressionError.self) { try parsed.typed(in: scope) }
    do { _ = try parsed.typed(in: scope) } catch { #expect(error.offset == 14 && error.length == 4) }
    #expect(throws: ExpressionError.self) { try ParsedExpression.prefix(of: "x over 1h", from: 2) }
  }

  @Test func `depth, size and length are bounded`() throws {
    let deep = String(repeating: "(", count: 100_00) + "i" + String(repeating: ")", count: 100_00)
    let wide = Array(repeating: "i", count: 6_000).joined(separator: ",")
    let chain = Array(repeating: "i", count: 5_000).joined(separator: "+")
    let signs = String(repeating: "- ", count: 9_000) + "i"
    let nots = String(repeating: "not ", count: 9_000) + "yes"
    let long = String(repeating: " ", count: 70_000) + "i"
    for text in [deep, "i in (\(wide))", chain, signs, nots, long] {
      let error = try #require(Sample.error(text), "\(text.prefix(20))")
      #expect(error.expected?.hasPrefix("at most") == true, "\(error)")
    }
    #expect(try Sample.value("i in (\(Array(0..<2_000).map(String.init).joined(separator: ", ")))") == .boolean(true))
  }

  @Test(arguments: 0..<30)
  func `no text makes the parser trap`(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let words = [
      "i", "x", "s", "t", "(", ")", ",", "+", "-", "*", "/", "//", "%", "||", "=", "<>", "<=", "::", "and", "or", "not",
      "is", "null", "in", "between", "like", "escape", "case", "when", "then", "else", "end", "cast", "as", "integer",
      "coalesce(", "round(", "1", "2.5", "1e9", "30m", "'a'", "\"x\"", "x'00'", "date '2024-01-01'", "decimal(",
      "price",
      "99999999999999999999999999999", "hash(", "over", "where", "\u{0}", "é", "'", "\"", "day", "if(", "replace(",
    ]
    for _ in 0..<400 {
      let count = Int.random(in: 0...14, using: &random)
      let text =
        Bool.random(using: &random)
        ? (0..<count).map { _ in words[Int.random(in: words.indices, using: &random)] }.joined(separator: " ")
        : String(decoding: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, as: UTF8.self)
      if let error = Sample.error(text) {
        #expect(error.offset >= 0 && error.length >= 0, "seed \(seed): \(text)")
        #expect(error.offset + error.length <= text.utf8.count, "seed \(seed): \(text): \(error)")
      }
      _ = try? ParsedExpression.prefix(of: text, from: Int.random(in: -1...20, using: &random))
    }
  }

  @Test(arguments: [
    ("30m", 1_800_000 as Int64?), ("500ms", 500), ("24h", 86_400_000), ("7d", 604_800_000), ("2w", 1_209_600_000),
    ("0s", 0),
    ("", nil), ("m", nil), ("1.5h", nil), ("-1h", nil), ("1y", nil), ("9223372036854775807d", nil), ("1 h", nil),
    ("٣h", nil),
  ])
  func `durations`(text: String, expected: Int64?) {
    #expect(DurationText.milliseconds(text) == expected)
    if let expected, expected > 0 {
      #expect(DurationText.milliseconds(DurationText.text(milliseconds: expected)) == expected)
    }
  }
}
