internal import Columns

/// An expression whose names and types are settled; conversions are operations of their own.
struct TypedNode: Sendable {
  var kind: Kind
  /// nil for a null that stands in no context yet.
  var type: ColumnType?
  var place: SourcePlace
  /// Of a double literal without exponent: what it is exactly, should it meet a decimal.
  var exact: ExactLiteral?

  indirect enum Kind: Sendable {
    case constant(Value)
    /// A position in the scope, and the name.
    case field(Int, String)
    case operation(Operation, [TypedNode])
  }

  struct ExactLiteral: Hashable, Sendable {
    var unscaled: Int128
    var scale: Int
  }

  var constant: Value? {
    if case .constant(let value) = kind { value } else { nil }
  }

  var isNull: Bool { constant == .null }

  /// How an error names the type.
  var typeName: String { type?.description ?? "null" }

  static func constant(_ value: Value, _ type: ColumnType?, at place: SourcePlace) -> TypedNode {
    TypedNode(kind: .constant(value), type: type, place: place)
  }

  /// An operation, or its result where all operands are constants.
  static func operation(_ operation: Operation, _ operands: [TypedNode], type: ColumnType, at place: SourcePlace)
    -> TypedNode
  {
    let node = TypedNode(kind: .operation(operation, operands), type: type, place: place)
    let isStrict = operation.isStrict
    if isStrict, operands.contains(where: \.isNull) { return .constant(.null, type, at: place) }
    guard operands.allSatisfy({ $0.constant != nil }) else { return node }
    // The kernel itself folds, over a batch of one row: there is no second meaning of an operation.
    return .constant(Program(node).evaluateConstant(), type, at: place)
  }
}
