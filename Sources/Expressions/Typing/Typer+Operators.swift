internal import Columns

extension Typer {
  mutating func negation(_ inner: SyntaxNode, at place: SourcePlace) throws(ExpressionError) -> TypedNode {
    let node = try number(try type(inner), for: "the sign")
    return .operation(.negate(Self.kind(of: node)), [node], type: node.type ?? .double, at: place)
  }

  mutating func binary(
    _ binary: BinaryOperator, _ left: SyntaxNode, _ right: SyntaxNode, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    switch binary {
    case .and, .or:
      let operands = [try boolean(left, binary.rawValue), try boolean(right, binary.rawValue)]
      return logical(binary == .and ? .and : .or, operands, at: place)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return try comparison(binary, try type(left), try type(right), at: place)
    case .concatenate: return try concatenation([try type(left), try type(right)], at: place)
    case .add, .subtract, .multiply, .divide, .divideWhole, .remainder:
      return try arithmetic(binary, try type(left), try type(right), at: place)
    }
  }

  /// Three-valued; a constant operand decides or falls away.
  func logical(_ operation: Operation, _ operands: [TypedNode], at place: SourcePlace) -> TypedNode {
    let deciding = Value.boolean(operation == .or)
    if operands.contains(where: { $0.constant == deciding }) { return .constant(deciding, .boolean, at: place) }
    let rest = operands.filter { $0.constant != .boolean(operation == .and) }
    if let only = rest.first, rest.count == 1 { return only }
    return .operation(operation, operands, type: .boolean, at: place)
  }

  func comparison(_ binary: BinaryOperator, _ left: TypedNode, _ right: TypedNode, at place: SourcePlace)
    throws(ExpressionError) -> TypedNode
  {
    let type = try common([left, right]) ?? .boolean
    let (a, b) = (convert(left, to: type), convert(right, to: type))
    let storage = type.storage
    let (operation, operands): (Comparison, [TypedNode]) =
      switch binary {
      case .equal: (.equal, [a, b])
      case .notEqual: (.notEqual, [a, b])
      case .less: (.less, [a, b])
      case .lessOrEqual: (.lessOrEqual, [a, b])
      case .greater: (.less, [b, a])
      default: (.lessOrEqual, [b, a])
      }
    return .operation(.compare(operation, storage), operands, type: .boolean, at: place)
  }

  mutating func between(
    _ inner: SyntaxNode, _ lower: SyntaxNode, _ upper: SyntaxNode, isNegated: Bool, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    let nodes = [try type(inner), try type(lower), try type(upper)]
    let type = try common(nodes) ?? .boolean
    let values = nodes.map { convert($0, to: type) }
    let above = try comparison(.lessOrEqual, values[1], values[0], at: place)
    let below = try comparison(.lessOrEqual, values[0], values[2], at: place)
    let inside = logical(.and, [above, below], at: place)
    return isNegated ? .operation(.not, [inside], type: .boolean, at: place) : inside
  }

  static func kind(of node: TypedNode) -> NumberKind {
    switch node.type {
    case .integer: .integer
    case .decimal: .decimal
    default: .double
    }
  }
}

extension Typer {
  func arithmetic(_ binary: BinaryOperator, _ left: TypedNode, _ right: TypedNode, at place: SourcePlace)
    throws(ExpressionError) -> TypedNode
  {
    if let time = try timeArithmetic(binary, left, right, at: place) { return time }
    let what = "'\(binary.rawValue)'"
    let (a, b) = (try number(left, for: what), try number(right, for: what))
    let type = try common([a, b]) ?? .double
    switch (binary, type) {
    case (.divideWhole, .integer): return integers(.divideWhole, a, b, at: place)
    case (.divideWhole, _):
      throw ExpressionError(
        "'//' divides integers", at: place, found: "\(a.typeName) // \(b.typeName)", expected: "two integers",
        remedy: "floor(a / b) rounds any quotient")
    case (.divide, _): return doubles(.divide, a, b, at: place)
    case (.remainder, .integer): return integers(.remainder, a, b, at: place)
    case (.remainder, _): return doubles(.remainder, a, b, at: place)
    case (_, .integer): return integers(Self.operator(binary), a, b, at: place)
    case (_, .decimal): return decimals(Self.operator(binary), a, b, type, at: place)
    default: return doubles(Self.operator(binary), a, b, at: place)
    }
  }

  private static func `operator`(_ binary: BinaryOperator) -> ArithmeticOperator {
    ArithmeticOperator(rawValue: binary.rawValue) ?? .add
  }

  private func integers(_ operation: ArithmeticOperator, _ a: TypedNode, _ b: TypedNode, at place: SourcePlace)
    -> TypedNode
  {
    .operation(
      .arithmetic(operation, .integer), [convert(a, to: .integer), convert(b, to: .integer)], type: .integer, at: place)
  }

  private func doubles(_ operation: ArithmeticOperator, _ a: TypedNode, _ b: TypedNode, at place: SourcePlace)
    -> TypedNode
  {
    .operation(
      .arithmetic(operation, .double), [convert(a, to: .double), convert(b, to: .double)], type: .double, at: place)
  }

  /// Sums are of the larger scale; the scale of a product is the sum of both, and one that has no room is a double.
  private func decimals(
    _ operation: ArithmeticOperator, _ a: TypedNode, _ b: TypedNode, _ type: ColumnType, at place: SourcePlace
  ) -> TypedNode {
    guard operation == .multiply else {
      return .operation(
        .arithmetic(operation, .decimal), [convert(a, to: type), convert(b, to: type)], type: type, at: place)
    }
    let operands = [a, b].map { node in
      switch node.type {
      case .decimal: node
      case .double: convert(node, to: .decimal(scale: node.exact?.scale ?? 0))
      default: convert(node, to: .decimal(scale: 0))
      }
    }
    let scale = operands.reduce(0) { sum, node in
      if case .decimal(let scale) = node.type { sum + scale } else { sum }
    }
    guard scale <= DecimalLimits.precisionMax else { return doubles(operation, a, b, at: place) }
    return .operation(.arithmetic(.multiply, .decimal), operands, type: .decimal(scale: scale), at: place)
  }

  /// Timestamps minus each other are milliseconds, rounded down; plus or minus milliseconds they are timestamps.
  private func timeArithmetic(
    _ binary: BinaryOperator, _ left: TypedNode, _ right: TypedNode, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode? {
    let times: Set<ColumnType?> = [.timestamp, .date]
    guard times.contains(left.type) || times.contains(right.type) else { return nil }
    switch (binary, left.type, right.type) {
    case (.subtract, .date, .date):
      return .operation(.arithmetic(.subtract, .integer), [left, right], type: .integer, at: place)
    case (.subtract, .timestamp, .timestamp), (.subtract, .timestamp, .date), (.subtract, .date, .timestamp):
      let operands = [convert(left, to: .timestamp), convert(right, to: .timestamp)]
      return .operation(.timestampDifference, operands, type: .integer, at: place)
    case (.add, .timestamp, .integer), (.subtract, .timestamp, .integer):
      return .operation(.timestampShift(isForward: binary == .add), [left, right], type: .timestamp, at: place)
    case (.add, .integer, .timestamp):
      return .operation(.timestampShift(isForward: true), [right, left], type: .timestamp, at: place)
    default:
      throw ExpressionError(
        "'\(binary.rawValue)' does not take these types", at: place,
        found: "\(left.typeName) \(binary.rawValue) \(right.typeName)",
        expected: "timestamp - timestamp, date - date, or timestamp ± milliseconds (ts - 30m)",
        remedy: left.type == .date ? "cast(d as timestamp) + 1d" : nil)
    }
  }
}
