import Foundation
import Testing

@testable import Topology

/// The front end: places, aliases, bounds.
@Suite struct YAMLTests {
  private func parse(_ text: String, limits: YAMLLimits = YAMLLimits()) -> (node: YAMLNode?, log: DiagnosticLog) {
    let log = DiagnosticLog(source: SourceText(file: "t.yaml", text: text))
    var parser = YAMLParser(log: log, limits: limits)
    return (parser.parse(), log)
  }

  private func describe(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let scalar): scalar.isPlain ? scalar.text : "'\(scalar.text)'"
    case .sequence(let children): "[\(children.map(describe).joined(separator: ", "))]"
    case .mapping(let entries):
      "{\(entries.map { "\($0.key.text): \(describe($0.value))" }.joined(separator: ", "))}"
    }
  }

  @Test func `Aliases stand for what their anchor held, and stars elsewhere are stars`() throws {
    let text = """
      a: &windows [1h, 6h]
      b: *windows
      c: "*windows"
      d: count * 2 + a *b
      e: view:*
      f: [*windows, "x*", x*y]
      g: |
        *windows
      """
    let (node, log) = parse(text)
    #expect(log.diagnostics.isEmpty)
    #expect(
      describe(try #require(node))
        == """
        {a: [1h, 6h], b: [1h, 6h], c: '*windows', d: count * 2 + a *b, e: view:*, f: [[1h, 6h], 'x*', x*y], g: '*windows
        '}
        """.replacing("*windows\n", with: "*windows"))
  }

  @Test func `A billion laughs are refused after ten thousand values`() throws {
    var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for level in 1...30 {
      text += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
    }
    let (node, log) = parse(text)
    #expect(node == nil)
    #expect(log.sorted.map(\.message) == ["the file has too many values"])
  }

  @Test func `The same bomb in a key is refused as well`() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      text += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
    }
    let (node, _) = parse(text + "? *a30\n: 1\n? *a30\n: 2\n")
    #expect(node == nil)
  }

  @Test func `An alias of itself, and one that comes too early, have no anchor`() {
    #expect(parse("a: &a [*a]").log.sorted.map(\.message) == ["there is no anchor `&a` above this alias"])
    #expect(
      parse("a: *later\nb: &later 1").log.sorted.map(\.message) == ["there is no anchor `&later` above this alias"])
  }

  @Test(arguments: [
    String(repeating: "[", count: 100_000),
    String(repeating: "{a: ", count: 3_000),
    String(repeating: "- ", count: 3_000),
    String(repeating: "[", count: 70) + String(repeating: "]", count: 70),
    (0..<200).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
  ])
  func `Depth is bounded`(text: String) {
    let (node, log) = parse(text)
    #expect(node == nil)
    #expect(log.hasErrors)
  }

  @Test func `Size and number of values are bounded`() {
    #expect(parse(String(repeating: "# comment\n", count: 110_000)).log.sorted[0].message == "the file is too large")
    let many = "a: [\(String(repeating: "1,", count: 20_000))1]"
    #expect(parse(many).log.sorted.map(\.message) == ["the file has too many values"])
    #expect(parse(String(repeating: ",[{?", count: 200_000)).node == nil)
  }

  @Test func `Every key that comes twice is reported, with the rest of the file`() {
    let (node, log) = parse("a: 1\nb: 2\na: 3\n\"c\": {x: 1, y: 2, x: 3}\nc: 4\na: 5\n")
    #expect(node != nil)
    #expect(
      log.sorted.map { "\($0.line):\($0.column) \($0.message)" } == [
        "3:1 `a` comes twice in this mapping", "4:19 `x` comes twice in this mapping",
        "5:1 `c` comes twice in this mapping", "6:1 `a` comes twice in this mapping",
      ])
  }

  @Test func `Merge keys and keys that are no texts are refused`() {
    #expect(parse("a: &a {x: 1}\nb: {<<: *a}").log.sorted.map(\.message) == ["merge keys are not supported"])
    #expect(parse("[1, 2]: 3").log.sorted.map(\.message) == ["a key must be a text"])
  }

  @Test func `What is not YAML says where`() {
    let log = parse("a: b: c\n").log
    #expect(log.sorted.map { "\($0.line):\($0.column)" } == ["1:5"])
    #expect(log.sorted[0].remedy?.contains("quotes") == true)
    #expect(parse("a: \"open\n").log.hasErrors)
    #expect(parse("a: 1\n---\nb: 2\n").log.hasErrors)
    #expect(parse("").log.sorted.map(\.message) == ["the file is empty"])
    #expect(parse("a: \u{E000}b").log.hasErrors)
    #expect(parse("a: \u{1}").log.hasErrors)
  }

  @Test(arguments: [
    ("k: mean(x) over 1h", "x", "1:9"),
    ("k: \"mean(x) over 1h\"", "x", "1:10"),
    ("k: 'it''s x'", "x", "1:11"),
    ("k: \"say \\\"x\\\"\"", "x", "1:11"),
    ("k: \"\\u0041 x\"", "x", "1:4"),
    ("k: first\n  second x", "x", "2:10"),
    ("k: >-\n  folded text\n  and x", "x", "3:7"),
    ("k: |\n  one\n  two x\n", "x", "3:7"),
    ("ключ: \"сумма(x)\"", "x", "1:14"),
  ])
  func `A place inside of a text is a place of the file`(text: String, part: String, expected: String) throws {
    let (node, log) = parse(text)
    guard case .mapping(let entries) = node?.content, case .scalar(let scalar) = entries[0].value.content else {
      Issue.record("no mapping")
      return
    }
    let range = try #require(scalar.text.range(of: part, options: .backwards))
    let offset = scalar.text.utf8.distance(from: scalar.text.startIndex, to: range.lowerBound)
    let place = scalar.position(utf8Offset: offset, in: log.source)
    #expect("\(place.line):\(place.column)" == expected)
  }

  @Test func `A diagnostic shows its line with a caret`() {
    let source = SourceText(file: "f.yaml", text: "a: 1\n\tmean(dep_dela)\n")
    let diagnostic = Diagnostic(
      file: "f.yaml", line: 2, column: 7, length: 8, message: "no field", nearest: "dep_delay", remedy: "mend it")
    #expect(
      diagnostic.rendered(in: source) == """
        f.yaml:2:7: error: no field
           2 |  mean(dep_dela)
             |       ^^^^^^^^
             = did you mean `dep_delay`?
             = mend it

        """)
  }

  @Test(
    arguments: [
      ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("24h", 86_400_000), ("7d", 604_800_000),
      ("2w", 1_209_600_000),
      ("0", 0), ("1", nil), ("h", nil), ("-1h", nil), ("1.5h", nil), ("9999999999999999999d", nil), ("200000d", nil),
    ] as [(String, Int64?)])
  func `Durations`(text: String, expected: Int64?) {
    #expect(DurationLiteral.milliseconds(text) == expected)
  }

  @Test func `Durations for people`() {
    #expect(
      [0, 500, 90_000, 86_400_000, 94_200_000].map(DurationLiteral.text) == ["0", "500ms", "1m 30s", "1d", "1d 2h 10m"])
  }
}
