internal import Columns

/// Reads one expression: precedence climbing over the tokens, one function call per level of the tree.
///
/// From weak to strong: `or`, `and`, `not`, comparisons with `is`, `in`, `between` and `like` (which do not chain),
/// `||`, `+ -`, `* / // %`, the sign, `::`.
struct Parser {
  var lexer: Lexer
  var token: Token
  /// Of all that was parsed, for the limit.
  var nodeCount = 0
  /// How deep the parser itself stands.
  var depth = 0
  var names: [(name: String, offset: Int)] = []
  /// Where the last token that was taken ends.
  var lastPlace = SourcePlace(offset: 0, length: 0)

  init(_ text: String, from offset: Int) throws(ExpressionError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= ExpressionLimits.textBytesMax else {
      throw ExpressionError(
        "the text is too long for an expression", at: .init(offset: offset, length: 0), found: "\(bytes.count) bytes",
        expected: "at most \(ExpressionLimits.textBytesMax)")
    }
    lexer = Lexer(bytes, from: offset)
    token = try lexer.next()
  }

  enum Strength: Int, Comparable {
    case lowest, or, and, not, comparison, concatenate, add, multiply, sign, cast

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  mutating func expression(above strength: Strength = .lowest) throws(ExpressionError) -> SyntaxNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= ExpressionLimits.depthMax else { throw tooDeep(at: token.place) }
    var left = try operand()
    while let next = infixStrength(), next > strength {
      left = try infix(left, next)
    }
    return left
  }

  /// The strength of the operator that the present token begins; nil when it begins none.
  private func infixStrength() -> Strength? {
    if case .symbol(let symbol) = token.kind {
      switch symbol {
      case .concatenate: return .concatenate
      case .plus, .minus: return .add
      case .times, .divide, .divideWhole, .remainder: return .multiply
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: return .comparison
      case .cast: return .cast
      case .open, .close, .comma: return nil
      }
    }
    return switch token.word {
    case .or: .or
    case .and: .and
    case .is, .in, .between, .like, .not: .comparison
    default: nil
    }
  }

  private mutating func infix(_ left: SyntaxNode, _ strength: Strength) throws(ExpressionError) -> SyntaxNode {
    switch strength {
    case .cast:
      try advance()
      return try node(.cast(left, try castTarget()), from: left.place, left)
    case .comparison: return try comparison(left)
    default:
      let name = token.word?.rawValue ?? symbolName
      guard let binary = BinaryOperator(rawValue: name) else { throw unexpected(expected: "an operator") }
      try advance()
      let right = try expression(above: strength)
      return try node(.binary(binary, left, right), from: left.place, left, right)
    }
  }

  private var symbolName: String {
    if case .symbol(let symbol) = token.kind { symbol.rawValue } else { "" }
  }

  /// What stands before operators: a sign, `not`, or something whole.
  private mutating func operand() throws(ExpressionError) -> SyntaxNode {
    let start = token.place
    if take(word: .not) {
      try advance()
      let inner = try expression(above: .and)
      return try node(.unary(.not, inner), from: start, inner)
    }
    guard case .symbol(let sign) = token.kind, sign == .minus || sign == .plus else { return try primary() }
    try advance()
    if sign == .minus, let literal = try negativeLiteral(from: start) { return literal }
    let inner = try expression(above: .sign)
    return sign == .plus ? inner : try node(.unary(.negate, inner), from: start, inner)
  }
}

extension Parser {
  /// `a < b`, `a is not null`, `a not in (…)`, `a between b and c`, `a like '…'`.
  private mutating func comparison(_ left: SyntaxNode) throws(ExpressionError) -> SyntaxNode {
    let result = try oneComparison(left)
    if infixStrength() == .comparison {
      throw ExpressionError(
        "comparisons do not chain", at: token.place, found: token.found, expected: "and, or, or the end",
        remedy: "write a < b and b < c, or use parentheses")
    }
    return result
  }

  private mutating func oneComparison(_ left: SyntaxNode) throws(ExpressionError) -> SyntaxNode {
    if case .symbol(let symbol) = token.kind, let binary = BinaryOperator(rawValue: symbol.rawValue) {
      try advance()
      let right = try expression(above: .comparison)
      return try node(.binary(binary, left, right), from: left.place, left, right)
    }
    if take(word: .is) {
      try advance()
      let isNegated = try takeWord(.not)
      try expect(word: .null)
      return try node(.isNull(left, isNegated: isNegated), from: left.place, left)
    }
    let isNegated = try takeWord(.not)
    switch token.word {
    case .in:
      try advance()
      try expect(.open)
      let list = try list(until: .close)
      let compared = list.count { if case .literal = $0.kind { false } else { true } }
      return try chain(.inList(left, list, isNegated: isNegated), compared, from: left.place, [left] + list)
    case .between:
      try advance()
      let lower = try expression(above: .comparison)
      try expect(word: .and)
      let upper = try expression(above: .comparison)
      return try node(.between(left, lower, upper, isNegated: isNegated), from: left.place, left, lower, upper)
    case .like:
      try advance()
      let pattern = try expression(above: .comparison)
      let escape: SyntaxNode? = try takeWord(.escape) ? try expression(above: .comparison) : nil
      return try node(
        .like(left, pattern, escape: escape, isNegated: isNegated), from: left.place, left, pattern)
    default: throw unexpected(expected: "in, between or like")
    }
  }

  /// One expression or more, separated by commas, and the closing symbol.
  mutating func list(until close: Token.Symbol) throws(ExpressionError) -> [SyntaxNode] {
    var elements = [try expression()]
    while case .symbol(.comma) = token.kind {
      try advance()
      elements.append(try expression())
    }
    try expect(close)
    return elements
  }
}

extension Parser {
  mutating func advance() throws(ExpressionError) {
    lastPlace = token.place
    token = try lexer.next()
  }

  func take(word: Word) -> Bool { token.word == word }

  mutating func takeWord(_ word: Word) throws(ExpressionError) -> Bool {
    guard token.word == word else { return false }
    try advance()
    return true
  }

  mutating func expect(word: Word) throws(ExpressionError) {
    guard try takeWord(word) else { throw unexpected(expected: word.rawValue) }
  }

  mutating func expect(_ symbol: Token.Symbol) throws(ExpressionError) {
    guard token.kind == .symbol(symbol) else { throw unexpected(expected: "'\(symbol.rawValue)'") }
    try advance()
  }

  func unexpected(expected: String, remedy: String? = nil) -> ExpressionError {
    let message = token.kind == .end ? "the expression ends too early" : "this does not belong here"
    return ExpressionError(message, at: token.place, found: token.found, expected: expected, remedy: remedy)
  }

  func tooDeep(at place: SourcePlace) -> ExpressionError {
    ExpressionError(
      "the expression is nested too deeply", at: place, expected: "at most \(ExpressionLimits.depthMax) levels",
      remedy: "use in (…), coalesce, or a derived column for a part of it")
  }

  /// A node that reaches from `start` to the last token.
  mutating func node(_ kind: SyntaxNode.Kind, from start: SourcePlace, _ children: SyntaxNode...)
    throws(ExpressionError) -> SyntaxNode
  {
    try node(kind, from: start, children)
  }

  /// A node that is typed as a tree of `length` levels.
  mutating func chain(_ kind: SyntaxNode.Kind, _ length: Int, from start: SourcePlace, _ children: [SyntaxNode])
    throws(ExpressionError) -> SyntaxNode
  {
    var result = try node(kind, from: start, children)
    result.height += length
    guard result.height <= ExpressionLimits.depthMax else { throw tooDeep(at: start) }
    return result
  }

  mutating func node(_ kind: SyntaxNode.Kind, from start: SourcePlace, _ children: [SyntaxNode])
    throws(ExpressionError) -> SyntaxNode
  {
    nodeCount += 1
    let height = 1 + (children.map(\.height).max() ?? 0)
    guard height <= ExpressionLimits.depthMax else { throw tooDeep(at: start) }
    guard nodeCount <= ExpressionLimits.nodesMax else {
      throw ExpressionError(
        "the expression is too large", at: start, expected: "at most \(ExpressionLimits.nodesMax) parts",
        remedy: "use derived columns for parts of it")
    }
    return SyntaxNode(kind: kind, place: start.through(lastPlace), height: height)
  }
}
