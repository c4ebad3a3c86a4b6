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
  case absolute(NumberKind)
  /// -1, 0 or 1; of NaN null.
  case sign(NumberKind)
  /// Of two: longer lists are nested.
  case extreme(isGreatest: Bool, ColumnType.Storage)
  case math(MathFunction)
  case binaryMath(BinaryMathFunction)
  /// To so many places after the point; halves away from zero.
  case round(places: Int)
  case isNaN
  /// Great-circle kilometres between two points in degrees.
  case haversine
  /// The greatest multiple of the width that is not above the value.
  case bucket(NumberKind)

  case textMap(TextMap)
  case textTest(TextTest)
  case length(inBytes: Bool)
  /// Operands: text, first character from 1, number of characters.
  case substring
  case concatenate
  case replace
  case splitPart
  case like(LikePattern)
  case membership(ConstantSet)

  case timePart(TimePart, Zone)
  case truncate(TimeUnit, Zone)
  case epochMilliseconds
  case timestampOfMilliseconds
  /// Milliseconds from the second to the first, rounded down.
  case timestampDifference
  /// A timestamp and milliseconds.
  case timestampShift(isForward: Bool)

  /// Of operands of these types.
  case hash([ColumnType])
  /// A hash modulo a number of buckets.
  case hashBucket

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
