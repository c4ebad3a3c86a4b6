import Contracts
import Core
import Testing

@Suite struct CSVFramingTests {
  private func documents(_ csv: String) throws -> (documents: [FramedDocument], faults: [InputFault]) {
    var random = SplitMix64(seed: UInt64(csv.utf8.count))
    let whole = try frame(Array(csv.utf8), by: CSVFraming(), random: &random, pieceMax: 1 << 20)
    for pieceMax in [1, 2, 5] {
      let cut = try frame(Array(csv.utf8), by: CSVFraming(), random: &random, pieceMax: pieceMax)
      #expect(cut == whole, "pieces of at most \(pieceMax) bytes")
    }
    return whole
  }

  @Test func rowsBecomeObjects() throws {
    let found = try documents("\u{feff}carrier,delay,note\r\nUA,2.0,\r\n\r\nAA,-14,\"on time, \"\"nearly\"\"\"\r\n")
    #expect(
      found.documents == [
        FramedDocument(line: 2, text: #"{"carrier":"UA","delay":2.0,"note":null}"#),
        FramedDocument(line: 4, text: #"{"carrier":"AA","delay":-14,"note":"on time, \"nearly\""}"#),
      ])
    #expect(found.faults.isEmpty)
  }

  @Test(arguments: [
    ("1", "1"), ("-0.5e+3", "-0.5e+3"), ("007", #""007""#), ("+1", #""+1""#), ("1.", #""1.""#), (".5", #"".5""#),
    ("NaN", #""NaN""#), ("true", #""true""#), ("", "null"), ("\"\"", "null"), ("\"12\"", "12"), (" 1", #"" 1""#),
    ("123456789012345678901234567890", "123456789012345678901234567890"), ("a\\b", #""a\\b""#),
    ("\"a\nb\tc\u{1}\"", #""a\nb\tc\u0001""#), ("2013-01-01", #""2013-01-01""#),
  ])
  func cellsBecomeValues(cell: String, value: String) throws {
    let found = try documents("x,y\n\(cell),1\n")
    #expect(found.documents == [FramedDocument(line: 2, text: "{\"x\":\(value),\"y\":1}")])
  }

  @Test func lineNumbersCountTheLinesInsideOfQuotes() throws {
    let found = try documents("a,b\n\"1\n2\n\",x\n3,y\n")
    #expect(found.documents.map(\.line) == [2, 5])
  }

  @Test func faultyRowsAreNamedAndSkipped() throws {
    let found = try documents("a,b\n1\n2,x\"y\n\"z\"w,3\n4,5\n6,\"open\n")
    #expect(found.documents.map(\.text) == [#"{"a":4,"b":5}"#])
    #expect(found.faults.map(\.line) == [2, 3, 4, 6])
    #expect(
      found.faults.map(\.message) == [
        "found 1 cells, the header has 2", "cell 2: a quote inside of the cell",
        "cell 1: text behind the closing quote",
        "cell 2: the quote is never closed",
      ])
  }

  @Test(arguments: ["a,a\n1,2\n", "a,\n1,2\n", "a,b\"c\n1,2\n"])
  func aBadHeaderIsAnError(csv: String) {
    let error = #expect(throws: HeadraceError.self) { try documents(csv) }
    #expect(error?.code == "CSV_HEADER_INVALID")
  }

  /// What a writer that follows RFC 4180 wrote comes back, whatever the cells hold.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func randomTablesComeBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let parts = ["a", "é", "\"", ",", "\n", "\r\n", "\\", "7", "{", " "]
    let rows = (0..<60).map { _ in
      (0..<3).map { _ in (0..<random.below(5)).map { _ in random.pick(parts) }.joined() }
    }
    let quoted = rows.map { row in
      row.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
    }
    let found = try documents("x,y,z\n" + quoted.joined(separator: "\r\n"))
    #expect(found.faults.isEmpty)
    let expected = rows.map { row in
      "{" + zip(["x", "y", "z"], row).map { "\"\($0)\":\(json($1))" }.joined(separator: ",") + "}"
    }
    #expect(found.documents.map(\.text) == expected, "seed \(seed)")
  }

  private func json(_ cell: String) -> String {
    if cell.isEmpty { return "null" }
    if cell.allSatisfy({ $0 == "7" }) { return cell }
    var text: [UInt8] = []
    JSONText.appendString(cell, to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}
