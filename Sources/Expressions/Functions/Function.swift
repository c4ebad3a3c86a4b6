internal import Core
internal import Columns

/// A function of the language: its name, how it is written, and what a call becomes.
struct Function: Sendable {
  let name: String
  let argumentCounts: ClosedRange<Int>
  /// For messages: `round(x[, places])`.
  let usage: String
  let build: @Sendable (Typer, Call) throws(ExpressionError) -> TypedNode

  init(
    _ usage: String, _ argumentCounts: ClosedRange<Int>,
    _ build: @escaping @Sendable (Typer, Call) throws(ExpressionError) -> TypedNode
  ) {
    name = String(usage.prefix { $0 != "(" })
    self.argumentCounts = argumentCounts
    self.usage = usage
    self.build = build
  }

  struct Call {
    var name: String
    var arguments: [TypedNode]
    var place: SourcePlace
  }

  static let all: [String: Function] = Dictionary(
    (conditional + mathematics + texts + times + hashes).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

  /// Other engines' names of what is here.
  static let synonyms = [
    "ceiling": "ceil", "pow": "power", "char_length": "length", "octet_length": "byte_length", "substr": "substring",
    "strlen": "byte_length", "startswith": "starts_with", "endswith": "ends_with", "log": "ln", "iff": "if",
    "ifnull": "coalesce", "nvl": "coalesce", "max": "greatest", "min": "least", "hour": "hour_of",
    "minute": "minute_of",
    "year": "year_of", "month": "month_of", "dayofweek": "day_of_week", "len": "length", "strpos": "contains",
  ]

  static let aggregates: Set = [
    "count", "sum", "mean", "avg", "min", "max", "variance", "stddev", "first", "last", "last_k", "count_distinct",
    "percentile", "topk", "ewma", "rate",
  ]
}

extension Typer {
  mutating func call(
    _ name: String, _ namePlace: SourcePlace, _ arguments: [SyntaxNode], at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    guard let function = Function.all[name] else { throw unknown(name, at: namePlace) }
    guard function.argumentCounts.contains(arguments.count) else {
      throw ExpressionError(
        "\(name) does not take \(arguments.count == 1 ? "one argument" : "\(arguments.count) arguments")", at: place,
        found: "\(arguments.count)", expected: function.usage)
    }
    var typed: [TypedNode] = []
    for argument in arguments { typed.append(try type(argument)) }
    return try function.build(self, .init(name: name, arguments: typed, place: place))
  }

  private func unknown(_ name: String, at place: SourcePlace) -> ExpressionError {
    let isAggregate = Function.aggregates.contains(name)
    let nearest = Function.synonyms[name] ?? NearestName.of(name, in: Function.all.keys.sorted())
    return ExpressionError(
      isAggregate ? "an aggregate cannot stand inside of an expression" : "there is no function of this name",
      at: place, found: "'\(name)'", nearest: isAggregate && Function.synonyms[name] == nil ? nil : nearest,
      remedy: isAggregate ? "an aggregate begins a feature, as in \(name)(amount) over 1h" : nil)
  }
}

/// What functions ask of their arguments.
extension Typer {
  func text(_ node: TypedNode, for call: Function.Call) throws(ExpressionError) -> TypedNode {
    guard let type = node.type else { return .constant(.null, .string, at: node.place) }
    guard type == .string else {
      throw mismatch(node, expected: "a string for \(call.name)", remedy: Self.remedy(from: type, to: .string))
    }
    return node
  }

  func double(_ node: TypedNode, for call: Function.Call) throws(ExpressionError) -> TypedNode {
    convert(try number(node, for: call.name), to: .double)
  }

  func integer(_ node: TypedNode, for call: Function.Call) throws(ExpressionError) -> TypedNode {
    guard let type = node.type else { return .constant(.null, .integer, at: node.place) }
    guard type == .integer else {
      throw mismatch(node, expected: "an integer for \(call.name)", remedy: "cast(x as integer) converts")
    }
    return node
  }

  /// A date counts as its first moment in UTC.
  func timestamp(_ node: TypedNode, for call: Function.Call) throws(ExpressionError) -> TypedNode {
    guard let type = node.type else { return .constant(.null, .timestamp, at: node.place) }
    guard type == .timestamp || type == .date else {
      throw mismatch(node, expected: "a timestamp for \(call.name)", remedy: Self.remedy(from: type, to: .timestamp))
    }
    return convert(node, to: .timestamp)
  }

  func literalText(_ node: TypedNode, _ what: String) throws(ExpressionError) -> String {
    guard case .string(let text)? = node.constant else {
      throw ExpressionError(
        "\(what) has to be known when the topology is read", at: node.place,
        found: node.constant == nil ? nil : node.typeName,
        expected: "a text in single quotes")
    }
    return text
  }

  func literalInteger(_ node: TypedNode, in range: ClosedRange<Int64>, _ what: String) throws(ExpressionError) -> Int64
  {
    guard case .integer(let value)? = node.constant, range.contains(value) else {
      throw ExpressionError(
        "\(what) has to be known when the topology is read", at: node.place,
        expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
