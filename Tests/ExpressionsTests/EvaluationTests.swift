import Columns
import Testing

@testable import Expressions

@Suite struct EvaluationTests {
  private static let scope: [ExpressionField] = [
    .init(name: "i", type: .integer), .init(name: "x", type: .double), .init(name: "b", type: .boolean),
  ]

  private static func value(_ text: String, _ values: [Value]) throws -> Value {
    let expression = try ParsedExpression(text).typed(in: scope)
    var batch = ColumnBatch(scope.map(\.type))
    for (index, value) in values.enumerated() where !batch.columns[index].append(value) {
      Issue.record("\(value) is not of type \(scope[index].type)")
    }
    batch.rowCount = 1
    return expression.evaluate(batch).value(0)
  }

  @Test(arguments: [
    ("i + 1", Value.integer(8)), ("i * x", .double(17.5)), ("i / 2", .double(3.5)), ("-i // 2", .integer(-3)),
    ("x > 2.4 and b", .boolean(true)), ("1 + 2 * 3", .integer(7)), ("x", .double(2.5)),
    ("i between 1 and 7", .boolean(true)),
    ("case when x < 0 then 'low' when x < 3 then 'middle' end", .string("middle")),
    ("(i - 7) / 0", .null), ("not b or x is null", .boolean(false)), ("1 / (i - 7) is null", .boolean(true)),
  ])
  func `an expression gives`(text: String, expected: Value) throws {
    #expect(try Self.value(text, [.integer(7), .double(2.5), .boolean(true)]) == expected)
  }
}
