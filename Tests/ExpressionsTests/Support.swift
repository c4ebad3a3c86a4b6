import Columns
import Testing

@testable import Expressions

/// One row with a field of each type, and expressions over it.
enum Sample {
  static let row: [(name: String, type: ColumnType, value: Value)] = [
    ("i", .integer, .integer(7)), ("n", .integer, .null), ("x", .double, .double(2.5)), ("nan", .double, .double(.nan)),
    ("yes", .boolean, .boolean(true)), ("maybe", .boolean, .null), ("s", .string, .string("Grüße, Welt")),
    ("raw", .bytes, .bytes([0x41, 0xff])), ("t", .timestamp, .timestamp(1_700_000_000_123_456)),
    ("day", .date, .date(20_000)), ("price", .decimal(scale: 2), .decimal(unscaled: 1_050, scale: 2)),
  ]

  static let scope = row.map { ExpressionField(name: $0.name, type: $0.type) }

  static func value(_ text: String) throws -> Value {
    let expression = try ParsedExpression(text).typed(in: scope)
    var batch = ColumnBatch(scope.map(\.type))
    for (index, field) in row.enumerated() where !batch.columns[index].append(field.value) {
      Issue.record("\(field.value) is not of type \(field.type)")
    }
    batch.rowCount = 1
    return expression.evaluate(batch).value(0)
  }

  static func error(_ text: String) -> ExpressionError? {
    do throws(ExpressionError) {
      _ = try ParsedExpression(text).typed(in: scope)
      return nil
    } catch {
      return error
    }
  }
}
