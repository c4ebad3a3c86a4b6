internal import Core
internal import Columns

/// Turns what was written into what is computed: resolves names, settles types, inserts conversions, folds constants.
struct Typer {
  let scope: [ExpressionField]
  private let positions: [String: Int]

  init(_ scope: [ExpressionField]) {
    self.scope = scope
    positions = Dictionary(
      scope.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  mutating func root(_ syntax: SyntaxNode) throws(ExpressionError) -> TypedNode {
    let node = try type(syntax)
    guard node.type != nil else {
      throw ExpressionError("null alone has no type", at: node.place, remedy: "write cast(null as double)")
    }
    return node
  }

  mutating func type(_ syntax: SyntaxNode) throws(ExpressionError) -> TypedNode {
    let place = syntax.place
    switch syntax.kind {
    case .literal(let literal): return Self.literal(literal, at: place)
    case .field(let name): return try field(name, at: place)
    case .unary(.not, let inner):
      return .operation(.not, [try boolean(inner, "not")], type: .boolean, at: place)
    case .unary(.negate, let inner): return try negation(inner, at: place)
    case .binary(let binary, let left, let right): return try self.binary(binary, left, right, at: place)
    case .isNull(let inner, let isNegated):
      return .operation(.isNull(isNegated: isNegated), [try concrete(inner)], type: .boolean, at: place)
    case .cast(let inner, let target): return try cast(try type(inner), to: target, at: place)
    case .choice(let branches, let otherwise): return try choice(branches, otherwise, at: place)
    case .between(let inner, let lower, let upper, let isNegated):
      return try between(inner, lower, upper, isNegated: isNegated, at: place)
    case .inList(let inner, let list, let isNegated):
      return try membership(inner, list, isNegated: isNegated, at: place)
    case .like(let inner, let pattern, let escape, let isNegated):
      return try like(inner, pattern, escape: escape, isNegated: isNegated, at: place)
    case .call(let name, let namePlace, let arguments):
      return try call(name, namePlace, arguments, at: place)
    }
  }

  private static func literal(_ literal: SyntaxNode.Literal, at place: SourcePlace) -> TypedNode {
    switch literal {
    case .null: return .constant(.null, nil, at: place)
    case .point(let unscaled, let scale, let double):
      var node = TypedNode.constant(.double(double), .double, at: place)
      node.exact = .init(unscaled: unscaled, scale: scale)
      return node
    case .value(let value): return .constant(value, value.columnType, at: place)
    }
  }

  private func field(_ name: String, at place: SourcePlace) throws(ExpressionError) -> TypedNode {
    guard let position = positions[name] else {
      let nearest = NearestName.of(name, in: scope.lazy.map(\.name))
      let expected = scope.count <= 12 ? "one of \(scope.map(\.name).joined(separator: ", "))" : nil
      throw ExpressionError(
        "there is no field of this name", at: place, found: "'\(name)'", expected: nearest == nil ? expected : nil,
        nearest: nearest, remedy: nearest == nil ? "a text has single quotes: '\(name)'" : nil)
    }
    return TypedNode(kind: .field(position, name), type: scope[position].type, place: place)
  }
}

extension Typer {
  /// A node with a type: a bare null is a boolean one, since nothing asks for another.
  mutating func concrete(_ syntax: SyntaxNode) throws(ExpressionError) -> TypedNode {
    let node = try type(syntax)
    return node.type == nil ? .constant(.null, .boolean, at: node.place) : node
  }

  /// A boolean operand of `what`.
  mutating func boolean(_ syntax: SyntaxNode, _ what: String) throws(ExpressionError) -> TypedNode {
    let node = try type(syntax)
    guard let type = node.type else { return .constant(.null, .boolean, at: node.place) }
    guard type == .boolean else {
      let remedy = type.isNumeric ? "write x != 0" : nil
      throw mismatch(node, expected: "a boolean for \(what)", remedy: remedy)
    }
    return node
  }

  func mismatch(_ node: TypedNode, expected: String, remedy: String? = nil) -> ExpressionError {
    ExpressionError(
      "this has the wrong type", at: node.place, found: node.typeName, expected: expected, remedy: remedy)
  }

  private mutating func choice(
    _ branches: [(condition: SyntaxNode, result: SyntaxNode)], _ otherwise: SyntaxNode?, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    var conditions: [TypedNode] = []
    var results: [TypedNode] = []
    for branch in branches {
      conditions.append(try boolean(branch.condition, "when"))
      results.append(try type(branch.result))
    }
    results.append(
      try otherwise.map { syntax throws(ExpressionError) in try type(syntax) } ?? .constant(.null, nil, at: place))
    return try select(conditions, results, at: place)
  }

  /// A chain of choices from the last: the first condition that is true decides.
  func select(_ conditions: [TypedNode], _ results: [TypedNode], at place: SourcePlace) throws(ExpressionError)
    -> TypedNode
  {
    guard let type = try common(results), let last = results.last else {
      throw ExpressionError("every result is null", at: place, remedy: "write cast(null as double)")
    }
    var chosen = convert(last, to: type)
    for (condition, result) in zip(conditions, results).reversed() {
      let converted = convert(result, to: type)
      if let constant = condition.constant {
        chosen = constant == .boolean(true) ? converted : chosen
      } else {
        chosen = .operation(.select, [condition, converted, chosen], type: type, at: place)
      }
    }
    return chosen
  }
}

extension Value {
  /// The column type of a value; nil for null and lists.
  var columnType: ColumnType? {
    switch self {
    case .null, .list: nil
    case .boolean: .boolean
    case .integer: .integer
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .date: .date
    case .decimal(_, let scale): .decimal(scale: scale)
    }
  }
}
