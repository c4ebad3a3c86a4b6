import Columns
import Core
import Testing

@testable import Expressions

@Suite struct OracleTests {
  @Test(arguments: 0..<40)
  func `random expressions mean what the oracle says, row by row`(seed: Int) throws {
    var generator = TermGenerator(random: SplitMix64(seed: UInt64(seed)))
    var scratch = ExpressionScratch()
    for _ in 0..<25 {
      let type: ColumnType = generator.pick([.integer, .double, .boolean, .string])
      let term = generator.term(type, depth: Int.random(in: 1...5, using: &generator.random))
      let expression = try ParsedExpression(term.text).typed(in: TermGenerator.scope)
      #expect(expression.type == type, "seed \(seed): \(term.text)")
      var column = Column(type)
      for rows in [7, 0, 33] {
        let (batch, values) = generator.batch(rows: rows)
        // The same column and scratch again: what an earlier batch left must not show.
        expression.evaluate(batch, into: &column, scratch: &scratch)
        #expect(column.count == rows)
        for row in 0..<rows {
          let (found, expected) = (column.value(row), term.value(values[row]))
          #expect(Self.same(found, expected), "seed \(seed), row \(values[row]): \(term.text)")
          if found == .null { #expect(Self.slotIsZero(column, row), "seed \(seed): \(term.text)") }
        }
      }
    }
  }

  @Test(arguments: 0..<20)
  func `the normal form does not depend on how an expression was written`(seed: Int) throws {
    var generator = TermGenerator(random: SplitMix64(seed: UInt64(seed)))
    let (a, b) = (generator.term(.double, depth: 3).text, generator.term(.integer, depth: 3).text)
    func canonical(_ text: String) throws -> String {
      try ParsedExpression(text).typed(in: TermGenerator.scope).canonicalText
    }
    #expect(try canonical("\(a) + \(b)") == canonical("(\(b))+( \(a) )"))
    #expect(try canonical("\(a) > \(b)") == canonical("\(b) < \(a)"))
    #expect(try canonical("\(a) between \(b) and 3") == canonical("\(a) >= \(b) and \(a) <= 3"))
    #expect(try canonical("x - i") != canonical("i - x"))
  }

  private static func same(_ a: Value, _ b: Value) -> Bool {
    if case (.double(let a), .double(let b)) = (a, b) { return a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }
    return a == b
  }

  private static func slotIsZero(_ column: Column, _ row: Int) -> Bool {
    switch column.type.storage {
    case .integers: column.integers[row] == 0
    case .doubles: column.doubles[row].bitPattern == 0
    case .text: column.text.range(row).isEmpty
    case .decimals: column.decimals[row] == 0
    }
  }
}
