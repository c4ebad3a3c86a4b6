internal import Columns

extension Function {
  static let texts: [Function] =
    [
      Function("length(text)", 1...1) { typer, call throws(ExpressionError) in
        .operation(
          .length(inBytes: false), [try typer.text(call.arguments[0], for: call)], type: .integer, at: call.place)
      },
      Function("byte_length(x)", 1...1) { typer, call throws(ExpressionError) in
        let value = call.arguments[0]
        let operand = value.type == .bytes ? value : try typer.text(value, for: call)
        return .operation(.length(inBytes: true), [operand], type: .integer, at: call.place)
      },
      Function("substring(text, start[, length])", 2...3) { typer, call throws(ExpressionError) in
        let text = try typer.text(call.arguments[0], for: call)
        let start = try typer.integer(call.arguments[1], for: call)
        let length =
          call.arguments.count == 3
          ? try typer.integer(call.arguments[2], for: call)
          : TypedNode.constant(.integer(.max), .integer, at: call.place)
        return .operation(.substring, [text, start, length], type: .string, at: call.place)
      },
      Function("concat(text, …)", 1...100) { typer, call throws(ExpressionError) in
        try typer.concatenation(call.arguments, at: call.place)
      },
      Function("replace(text, old, new)", 3...3) { typer, call throws(ExpressionError) in
        .operation(.replace, try typer.texts(call), type: .string, at: call.place)
      },
      Function("split_part(text, separator, number)", 3...3) { typer, call throws(ExpressionError) in
        let operands = [
          try typer.text(call.arguments[0], for: call), try typer.text(call.arguments[1], for: call),
          try typer.integer(call.arguments[2], for: call),
        ]
        return .operation(.splitPart, operands, type: .string, at: call.place)
      },
    ] + TextMap.allCases.map(of) + TextTest.allCases.map(of)

  private static func of(_ map: TextMap) -> Function {
    Function("\(map.rawValue)(text)", 1...1) { typer, call throws(ExpressionError) in
      .operation(.textMap(map), try typer.texts(call), type: .string, at: call.place)
    }
  }

  private static func of(_ test: TextTest) -> Function {
    Function("\(test.rawValue)(text, part)", 2...2) { typer, call throws(ExpressionError) in
      .operation(.textTest(test), try typer.texts(call), type: .boolean, at: call.place)
    }
  }
}

/// From a text to a text. Cases follow Unicode's full mapping of each scalar, without regard to language or context (a
/// final sigma is no special case); blanks are ASCII's.
enum TextMap: String, Hashable, Sendable, CaseIterable { case lower, upper, trim, ltrim, rtrim }

enum TextTest: String, Hashable, Sendable, CaseIterable {
  case startsWith = "starts_with"
  case endsWith = "ends_with"
  case contains
}

extension Typer {
  fileprivate func texts(_ call: Function.Call) throws(ExpressionError) -> [TypedNode] {
    var texts: [TypedNode] = []
    for argument in call.arguments { texts.append(try text(argument, for: call)) }
    return texts
  }

  /// Null if one of the texts is, as `||` of SQL.
  func concatenation(_ nodes: [TypedNode], at place: SourcePlace) throws(ExpressionError) -> TypedNode {
    if nodes.contains(where: { $0.type == .bytes }) {
      guard let type = try common(nodes) else { return .constant(.null, .bytes, at: place) }
      return .operation(.concatenate, nodes.map { convert($0, to: type) }, type: type, at: place)
    }
    let call = Function.Call(name: "||", arguments: nodes, place: place)
    return .operation(.concatenate, try texts(call), type: .string, at: place)
  }

  mutating func like(
    _ inner: SyntaxNode, _ pattern: SyntaxNode, escape: SyntaxNode?, isNegated: Bool, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    let call = Function.Call(name: "like", arguments: [try type(inner)], place: place)
    let operand = try text(call.arguments[0], for: call)
    let patternNode = try type(pattern)
    let written = try literalText(patternNode, "the pattern")
    var escapeScalar: Unicode.Scalar?
    if let escape {
      let node = try type(escape)
      let text = try literalText(node, "the escape character")
      guard let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1 else {
        throw ExpressionError("the escape is one character", at: node.place, found: "'\(text.prefix(40))'")
      }
      escapeScalar = scalar
    }
    guard let pattern = LikePattern(written, escape: escapeScalar) else {
      throw ExpressionError(
        "the escape character stands before nothing that it could escape", at: patternNode.place,
        expected: "% or _ or itself after it")
    }
    let result = TypedNode.operation(.like(pattern), [operand], type: .boolean, at: place)
    return isNegated ? .operation(.not, [result], type: .boolean, at: place) : result
  }

  /// Constants of the list are looked up in a sorted set; the others are compared one by one.
  mutating func membership(
    _ inner: SyntaxNode, _ list: [SyntaxNode], isNegated: Bool, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    var nodes = [try type(inner)]
    for element in list { nodes.append(try type(element)) }
    let type = try common(nodes) ?? .boolean
    let values = nodes.map { convert($0, to: type) }
    let constants = values.dropFirst().compactMap(\.constant)
    var found: TypedNode?
    if !constants.isEmpty {
      found = .operation(.membership(ConstantSet(constants)), [values[0]], type: .boolean, at: place)
    }
    for value in values.dropFirst() where value.constant == nil {
      let equal = try comparison(.equal, values[0], value, at: place)
      found = found.map { logical(.or, [$0, equal], at: place) } ?? equal
    }
    let result = found ?? .constant(.boolean(false), .boolean, at: place)
    return isNegated ? .operation(.not, [result], type: .boolean, at: place) : result
  }
}
