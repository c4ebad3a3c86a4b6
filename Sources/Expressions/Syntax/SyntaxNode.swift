internal import Columns

/// An expression as it was written: names unresolved, types unknown.
struct SyntaxNode: Sendable {
  var kind: Kind
  var place: SourcePlace
  /// The tree's height: 1 is a leaf.
  var height = 1

  indirect enum Kind: Sendable {
    case literal(Literal)
    case field(String)
    case unary(UnaryOperator, SyntaxNode)
    case binary(BinaryOperator, SyntaxNode, SyntaxNode)
    case isNull(SyntaxNode, isNegated: Bool)
    case inList(SyntaxNode, [SyntaxNode], isNegated: Bool)
    case between(SyntaxNode, SyntaxNode, SyntaxNode, isNegated: Bool)
    case like(SyntaxNode, SyntaxNode, escape: SyntaxNode?, isNegated: Bool)
    case choice(branches: [(condition: SyntaxNode, result: SyntaxNode)], otherwise: SyntaxNode?)
    case cast(SyntaxNode, CastTarget)
    case call(function: String, SourcePlace, [SyntaxNode])
  }

  enum Literal: Sendable {
    /// Of any type.
    case null
    /// Digits with a point and no exponent: exact beside a decimal, else a double.
    case point(unscaled: Int128, scale: Int, double: Double)
    case value(Value)
  }
}

enum UnaryOperator: Sendable { case negate, not }

enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case divideWhole = "//"
  case remainder = "%"
  case concatenate = "||"
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case and, or
}

/// `cast(x as decimal(10, 2))`: the type, and how many digits a decimal may have.
struct CastTarget: Hashable, Sendable {
  var type: ColumnType
  var precision = DecimalLimits.precisionMax

  static let names: [String: ColumnType] = [
    "boolean": .boolean, "bool": .boolean, "integer": .integer, "int": .integer, "bigint": .integer,
    "long": .integer, "double": .double, "float": .double, "string": .string, "text": .string, "varchar": .string,
    "bytes": .bytes, "timestamp": .timestamp, "date": .date,
  ]
}

enum DecimalLimits {
  static let precisionMax = 38
}
