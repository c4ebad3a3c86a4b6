internal import Columns

/// What one instruction computes. Types are settled: the operands are exactly of the types that the kernel reads.
enum Operation: Hashable, Sendable {
  case arithmetic(ArithmeticOperator, NumberKind)
  case negate(NumberKind)
  case compare(Comparison, ColumnType.Storage)
  case and, or, not
  case isNull(isNegated: Bool)
  case cast(from: ColumnType, to: CastTarget)
  /// Operands: a condition, then what it chooses between. Null chooses the second.
  case select
  /// The first operand that is not null.
  case coalesce
  /// Milliseconds from the second to the first, rounded down.
  case timestampDifference
  /// A timestamp and milliseconds.
  case timestampShift(isForward: Bool)

  /// Null in, null out.
  var isStrict: Bool {
    switch self {
    case .and, .or, .isNull, .select, .coalesce: false
    default: true
    }
  }
}

enum ArithmeticOperator: String, Hashable, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  /// Of doubles only.
  case divide = "/"
  /// Of integers only; rounded towards zero.
  case divideWhole = "//"
  /// Of the division that rounds towards zero: has the sign of the dividend.
  case remainder = "%"
}

enum NumberKind: Hashable, Sendable { case integer, double, decimal }

enum Comparison: String, Hashable, Sendable {
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
}
