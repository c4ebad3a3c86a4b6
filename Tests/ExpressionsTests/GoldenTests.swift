import Columns
import Foundation
import Testing

@testable import Expressions

/// Results of other implementations, made by Tests/ExpressionGolden/make_golden.py.
@Suite struct GoldenTests {
  @Test func `what DuckDB computes`() throws {
    let scope: [ExpressionField] = [
      .init(name: "i", type: .integer), .init(name: "j", type: .integer), .init(name: "x", type: .double),
      .init(name: "y", type: .double), .init(name: "b", type: .boolean), .init(name: "c", type: .boolean),
      .init(name: "s", type: .string), .init(name: "u", type: .string), .init(name: "t", type: .timestamp),
    ]
    var batch = ColumnBatch(scope.map(\.type))
    for row in Self.rows {
      for (index, value) in row.enumerated() where !batch.columns[index].append(value) {
        Issue.record("\(value) is not of type \(scope[index].type)")
      }
    }
    batch.rowCount = Self.rows.count
    let lines = try Self.lines("duckdb.tsv")
    #expect(lines.count > 80)
    for line in lines {
      let column = try ParsedExpression(line[0]).typed(in: scope).evaluate(batch)
      for row in 0..<batch.rowCount {
        #expect(
          Self.agree(column.value(row), line[row + 1]), "\(line[0]), row \(row): \(column.value(row)), \(line[row + 1])"
        )
      }
    }
  }

  @Test func `offsets and days of time zones as Python's zoneinfo has them`() throws {
    var zones: [String: Zone] = [:]
    for line in try Self.lines("zones.tsv") {
      if zones[line[0]] == nil, case .loaded(let zone) = Zone.load(line[0]) { zones[line[0]] = zone }
      let zone = try #require(zones[line[0]], "no \(line[0]) in this system's tz database")
      let second = try #require(Int64(line[1]))
      #expect(zone.rules.span(at: second).offset == Int64(line[2]), "\(line)")
      let text = "epoch_ms(date_trunc('day', timestamp_ms(\(second * 1_000)), '\(line[0])'))"
      #expect(try Sample.value(text) == .integer(try #require(Int64(line[3])) * 1_000), "\(line)")
    }
  }

  private static let rows: [[Value]] = [
    [
      .integer(7), .integer(3), .double(2.5), .double(-0.75), .boolean(true), .null, .string("Grüße, Welt"),
      .string("ab"), .timestamp(1_700_000_000_123_456),
    ],
    [
      .integer(-9), .integer(4), .double(-1e10), .double(0.5), .boolean(false), .boolean(true), .string(""),
      .string("b%c"), .timestamp(-1_000_000),
    ],
    [.null, .integer(0), .null, .double(1e-3), .null, .boolean(false), .null, .string(""), .null],
    [
      .integer(0), .integer(-5), .double(0), .double(123.456), .null, .null, .string("a,b,,c"), .string(","),
      .timestamp(1_709_164_800_000_000),
    ],
    [
      .integer(.max - 1), .integer(1), .double(1e300), .double(-1e300), .boolean(true), .boolean(true),
      .string("ÀÉ日本"), .string("É"), .timestamp(946_729_800_000_000),
    ],
  ]

  /// Doubles within two units of the last place: the C library's functions differ by as much.
  private static func agree(_ value: Value, _ golden: String) -> Bool {
    switch value {
    case .null: return golden == "null"
    case .boolean(let value): return golden == "\(value)"
    case .integer(let value): return golden == "\(value)"
    case .string(let value): return golden == value
    case .double(let value):
      guard let expected = Double(golden) else { return false }
      return value == expected || abs(value - expected) <= 2 * expected.ulp
    default: return false
    }
  }

  private static func lines(_ name: String) throws -> [[String]] {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: tests.appending(path: "ExpressionGolden/\(name)"), encoding: .utf8)
    return text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }
}
