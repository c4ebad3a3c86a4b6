import Columns
import Core
import Testing

@testable import Expressions

/// Whatever types can be evaluated: over extreme values no function traps, gives NaN or breaks a column's promises.
@Suite struct TotalityTests {
  private static let scope: [ExpressionField] = [
    .init(name: "i", type: .integer), .init(name: "x", type: .double), .init(name: "b", type: .boolean),
    .init(name: "s", type: .string), .init(name: "raw", type: .bytes), .init(name: "t", type: .timestamp),
    .init(name: "d", type: .date), .init(name: "p", type: .decimal(scale: 4)),
    .init(name: "q", type: .decimal(scale: 30)),
  ]

  private static let extremes: [[Value]] = [
    [0, 1, -1, 3, .max, .min, .max - 1, 1 << 53, -(1 << 62)].map { .integer($0) },
    [
      0, -0.0, 1, -0.5, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0x1p63, -0x1p63,
      1e38,
    ].map {
      .double($0)
    },
    [.boolean(true), .boolean(false)],
    ["", "a", "é", "日本%", ",", "1e5", "-7", "true", "2024-02-29", "2024-02-29T23:59:60Z", "9999-12-31"].map {
      .string($0)
    },
    [[], [0xff], [0xc3], [0x41, 0x80, 0xf4]].map { .bytes($0) },
    [0, -1, .max, .min, 1_700_000_000_000_000].map { .timestamp($0) },
    [0, -1, .max, .min, 20_000].map { .date($0) },
    [0, 1, -15_000, Decimal128.powers[38] - 1, 1 - Decimal128.powers[38]].map { .decimal(unscaled: $0, scale: 4) },
    [0, -1, Decimal128.powers[30], Decimal128.powers[38] - 1].map { .decimal(unscaled: $0, scale: 30) },
  ]

  private static let arguments =
    scope.map(\.name) + [
      "null", "0", "-3", "2", "1.5", "'a'", "'day'", "'Europe/Berlin'", "'-03:30'", "true", "raw || x'ff'", "t - 1d",
      "cast(i as string)", "cast(x as string)", "cast(d as string)", "cast(p as string)", "cast(raw as string)",
      "cast(s as double)", "cast(s as integer)", "cast(s as timestamp)", "cast(s as date)", "cast(s as decimal(20, 3))",
      "cast(x as decimal(38, 20))", "cast(x as integer)", "cast(p as integer)", "cast(q as double)",
      "cast(q as decimal(9, 2))",
      "p + q", "p * p", "p - 1", "p * q", "i + p", "i // -1", "i % i", "-i", "-p", "t - t", "d - d", "t > d", "p < 2.5",
      "x % 0.1", "p in (1, 2.5)", "s like '%_%'", "i in (1, null)", "case when b then p else q end", "t + i",
    ]

  private static func batch(_ random: inout SplitMix64, rows: Int) -> ColumnBatch {
    var batch = ColumnBatch(scope.map(\.type))
    for (index, values) in extremes.enumerated() {
      for _ in 0..<rows {
        let value = Int.random(in: 0..<8, using: &random) == 0 ? .null : values.randomElement(using: &random) ?? .null
        if !batch.columns[index].append(value) { Issue.record("\(value) is not of type \(scope[index].type)") }
      }
    }
    batch.rowCount = rows
    return batch
  }

  @Test(arguments: Function.all.values.map(\.name).sorted())
  func `a function is total`(name: String) throws {
    let function = try #require(Function.all[name])
    var random = SplitMix64(seed: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    let batch = Self.batch(&random, rows: 30)
    var scratch = ExpressionScratch()
    var evaluated = 0
    for _ in 0..<200 {
      let count = Int.random(
        in: function.argumentCounts.lowerBound...min(function.argumentCounts.upperBound, 4), using: &random)
      var arguments = (0..<count).map { _ in Self.arguments.randomElement(using: &random) ?? "null" }
      if name == "date_trunc" { arguments[0] = "'week'" }
      let text = "\(name)(\(arguments.joined(separator: ", ")))"
      guard let expression = try? ParsedExpression(text).typed(in: Self.scope) else { continue }
      evaluated += 1
      var column = Column(expression.type)
      expression.evaluate(batch, into: &column, scratch: &scratch)
      Self.check(column, batch, text)
    }
    #expect(evaluated > 0, "no arguments fitted \(function.usage)")
  }

  @Test func `an operand is total`() throws {
    var random = SplitMix64(seed: 11)
    var scratch = ExpressionScratch()
    for text in Self.arguments where text != "null" {
      let expression = try ParsedExpression(text).typed(in: Self.scope)
      for _ in 0..<5 {
        let batch = Self.batch(&random, rows: 40)
        var column = Column(expression.type)
        expression.evaluate(batch, into: &column, scratch: &scratch)
        if text != "x" { Self.check(column, batch, text) }
      }
    }
  }

  private static func check(_ column: Column, _ batch: ColumnBatch, _ text: String) {
    #expect(column.count == batch.rowCount, "\(text)")
    #expect(column.nullCount == column.isValid.count { !$0 }, "\(text)")
    // A choice may hand a NaN or an infinity through that the event brought; nothing makes one.
    let isChoice = ["coalesce", "nullif", "if", "least", "greatest", "abs"].contains { text.hasPrefix("\($0)(") }
    for row in 0..<column.count {
      switch column.value(row) {
      case .double(let value): #expect(isChoice || value.isFinite, "\(text)")
      case .string:
        #expect(String(validating: column.text.bytes[column.text.range(row)], as: UTF8.self) != nil, "\(text)")
      case .decimal(let unscaled, _): #expect(Decimal128.fits(unscaled), "\(text)")
      case .boolean: #expect(column.integers[row] == 0 || column.integers[row] == 1, "\(text)")
      default: break
      }
    }
  }
}
