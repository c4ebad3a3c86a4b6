internal import Columns

/// Which types meet, and where.
///
/// - An integer that meets a double becomes the nearest double, ties to even.
/// - A decimal that meets a double does too.
/// - Decimals and integers take part in `+ - *`, comparisons and choices as exact decimals, of the larger scale.
/// - A literal with a point is a double, but beside a decimal it is exactly the decimal that it reads as.
/// - A date that meets a timestamp is its first moment in UTC.
/// - Null takes the type of what it meets.
extension Typer {
  /// The type that all nodes can be converted to; nil when all are null.
  func common(_ nodes: [TypedNode]) throws(ExpressionError) -> ColumnType? {
    guard let first = nodes.first(where: { $0.type != nil }), let firstType = first.type else { return nil }
    for node in nodes {
      guard let type = node.type, !Self.meet(firstType, type) else { continue }
      throw mismatch(node, expected: "\(firstType), as the other", remedy: Self.remedy(from: type, to: firstType))
    }
    let types = nodes.compactMap(\.type)
    if firstType.isNumeric { return Self.commonNumber(nodes) }
    return types.contains(.timestamp) ? .timestamp : firstType
  }

  private static func meet(_ a: ColumnType, _ b: ColumnType) -> Bool {
    if a == b || (a.isNumeric && b.isNumeric) { return true }
    let times: Set<ColumnType> = [.date, .timestamp]
    return times.contains(a) && times.contains(b)
  }

  private static func commonNumber(_ nodes: [TypedNode]) -> ColumnType {
    var scales: [Int] = []
    var exactScales: [Int] = []
    for node in nodes {
      switch node.type {
      case .decimal(let scale): scales.append(scale)
      case .double:
        guard let exact = node.exact else { return .double }
        exactScales.append(exact.scale)
      default: break
      }
    }
    if scales.isEmpty { return exactScales.isEmpty ? .integer : .double }
    return .decimal(scale: (scales + exactScales).max() ?? 0)
  }

  static func remedy(from type: ColumnType, to wanted: ColumnType) -> String? {
    switch (type, wanted) {
    case (.integer, .timestamp), (.timestamp, .integer): "timestamp_ms(n) and epoch_ms(ts) convert"
    case (.string, .timestamp): "write timestamp '2026-01-31T12:00:00Z', or cast(x as timestamp)"
    case (.string, .date): "write date '2026-01-31', or cast(x as date)"
    case (.string, _), (_, .string): "cast(x as \(wanted)) converts"
    case (.boolean, .integer), (.boolean, .double): "cast(x as \(wanted)) converts"
    case (_, .boolean) where type.isNumeric: "write x != 0"
    default: nil
    }
  }

  /// - Precondition: `common` gave `type` for a list with this node.
  func convert(_ node: TypedNode, to type: ColumnType) -> TypedNode {
    if node.type == type { return node }
    if node.isNull { return .constant(.null, type, at: node.place) }
    if case .decimal(let scale) = type, let exact = node.exact {
      let literal = Value.decimal(unscaled: exact.unscaled, scale: exact.scale)
      let decimal = TypedNode.constant(literal, .decimal(scale: exact.scale), at: node.place)
      return exact.scale == scale ? decimal : conversion(decimal, to: CastTarget(type: type), at: node.place)
    }
    return conversion(node, to: CastTarget(type: type), at: node.place)
  }

  func conversion(_ node: TypedNode, to target: CastTarget, at place: SourcePlace) -> TypedNode {
    guard let type = node.type else { return .constant(.null, target.type, at: place) }
    return .operation(.cast(from: type, to: target), [node], type: target.type, at: place)
  }

  func number(_ node: TypedNode, for what: String) throws(ExpressionError) -> TypedNode {
    guard let type = node.type else { return .constant(.null, .double, at: node.place) }
    guard type.isNumeric else {
      throw mismatch(node, expected: "a number for \(what)", remedy: Self.remedy(from: type, to: .double))
    }
    return node
  }

  /// A cast that was written: also those that may fail.
  func cast(_ node: TypedNode, to target: CastTarget, at place: SourcePlace) throws(ExpressionError) -> TypedNode {
    guard let type = node.type, !node.isNull else { return .constant(.null, target.type, at: place) }
    if type == target.type, target.precision == DecimalLimits.precisionMax {
      var same = node
      same.exact = nil
      return same
    }
    guard CastRule.exists(from: type, to: target.type) else {
      throw ExpressionError(
        "a \(type) cannot be cast to \(target.type)", at: place, found: "\(type)",
        expected: CastRule.expected(for: target.type), remedy: Self.remedy(from: type, to: target.type))
    }
    if case .decimal = target.type, let exact = node.exact {
      let literal = Value.decimal(unscaled: exact.unscaled, scale: exact.scale)
      let decimal = TypedNode.constant(literal, .decimal(scale: exact.scale), at: node.place)
      return conversion(decimal, to: target, at: place)
    }
    return conversion(node, to: target, at: place)
  }
}

/// Which casts there are.
enum CastRule {
  static func exists(from type: ColumnType, to target: ColumnType) -> Bool {
    sources(of: target).contains(family(type))
  }

  static func expected(for target: ColumnType) -> String {
    "one of \(sources(of: target).map(\.rawValue).joined(separator: ", "))"
  }

  private enum Family: String { case boolean, integer, double, string, bytes, timestamp, date, decimal }

  private static func family(_ type: ColumnType) -> Family {
    switch type {
    case .boolean: .boolean
    case .integer: .integer
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .date: .date
    case .decimal: .decimal
    }
  }

  private static func sources(of target: ColumnType) -> [Family] {
    switch target {
    case .boolean: [.boolean, .integer, .string]
    case .integer: [.integer, .boolean, .double, .decimal, .string]
    case .double: [.double, .boolean, .integer, .decimal, .string]
    case .string: [.string, .boolean, .integer, .double, .decimal, .timestamp, .date, .bytes]
    case .bytes: [.bytes, .string]
    case .timestamp: [.timestamp, .date, .string]
    case .date: [.date, .timestamp, .string]
    case .decimal: [.decimal, .integer, .double, .string]
    }
  }
}
