internal import Core
internal import Columns

extension Parser {
  /// Literals, fields, calls, `case`, `cast`, parentheses.
  mutating func primary() throws(ExpressionError) -> SyntaxNode {
    let start = token.place
    switch token.kind {
    case .symbol(.open):
      try advance()
      let inner = try expression()
      try expect(.close)
      return inner
    case .quotedName(let name):
      try advance()
      return try field(name, at: start)
    case .name(let name):
      if let word = token.word { return try wordOperand(word) }
      try advance()
      switch token.kind {
      case .symbol(.open): return try call(name, at: start)
      case .string(let text):
        if let value = try typedLiteral(name.lowercased(), text, at: start) { return value }
        throw unexpected(expected: "an operator")
      default: return try field(name, at: start)
      }
    default:
      guard let literal = try literal(isNegative: false) else {
        throw unexpected(expected: "a value", remedy: token.kind == .symbol(.times) ? "count takes no argument" : nil)
      }
      try advance()
      return try node(.literal(literal), from: start)
    }
  }

  private mutating func field(_ name: String, at place: SourcePlace) throws(ExpressionError) -> SyntaxNode {
    names.append((name, place.offset))
    return try node(.field(name), from: place)
  }

  /// A minus sign and the literal after it are one literal: the least integer has no positive twin.
  mutating func negativeLiteral(from start: SourcePlace) throws(ExpressionError) -> SyntaxNode? {
    switch token.kind {
    case .integer, .number, .duration:
      guard let literal = try literal(isNegative: true) else { return nil }
      try advance()
      return try node(.literal(literal), from: start)
    default: return nil
    }
  }

  private func literal(isNegative: Bool) throws(ExpressionError) -> SyntaxNode.Literal? {
    switch token.kind {
    case .integer(let magnitude):
      let value = isNegative ? -Int128(magnitude) : Int128(magnitude)
      if let integer = Int64(exactly: value) { return .value(.integer(integer)) }
      return .point(unscaled: value, scale: 0, double: Double(value))
    case .number(let text):
      let signed = isNegative ? "-\(text)" : text
      guard let double = Double(signed.hasPrefix(".") ? "0\(signed)" : signed), double.isFinite else {
        throw ExpressionError(
          "the number is too large", at: token.place, found: "\(text.prefix(40))", expected: "a finite double")
      }
      if let decimal = DecimalText.parse(signed) {
        return .point(unscaled: decimal.unscaled, scale: decimal.scale, double: double)
      }
      return .value(.double(double))
    case .duration(let milliseconds): return .value(.integer(isNegative ? -milliseconds : milliseconds))
    case .string(let text): return .value(.string(text))
    case .bytes(let bytes): return .value(.bytes(bytes))
    default: return nil
    }
  }

  /// `date '2026-01-31'`, `timestamp '2026-01-31T12:00:00Z'`, `decimal '1.50'`.
  private mutating func typedLiteral(_ type: String, _ text: String, at start: SourcePlace)
    throws(ExpressionError) -> SyntaxNode?
  {
    let value: Value?
    let expected: String
    switch type {
    case "date": (value, expected) = (CivilText.date(text).map { .date($0) }, "such as date '2026-01-31'")
    case "timestamp":
      (value, expected) = (
        CivilText.timestamp(text).map { .timestamp($0) }, "such as timestamp '2026-01-31T12:00:00Z'"
      )
    case "decimal":
      (value, expected) = (
        DecimalText.parse(text).map { .decimal(unscaled: $0.unscaled, scale: $0.scale) }, "such as decimal '1.50'"
      )
    default: return nil
    }
    guard let value else {
      throw ExpressionError(
        "this is no \(type)", at: token.place, found: "'\(text.prefix(40))'", expected: expected)
    }
    try advance()
    return try node(.literal(.value(value)), from: start)
  }

  private mutating func wordOperand(_ word: Word) throws(ExpressionError) -> SyntaxNode {
    let start = token.place
    let literal: SyntaxNode.Literal
    switch word {
    case .null: literal = .null
    case .true: literal = .value(.boolean(true))
    case .false: literal = .value(.boolean(false))
    case .case: return try choice()
    case .cast:
      try advance()
      try expect(.open)
      let inner = try expression()
      try expect(word: .as)
      let target = try castTarget()
      try expect(.close)
      return try node(.cast(inner, target), from: start, inner)
    default:
      throw unexpected(expected: "a value", remedy: "a field of this name needs double quotes: \"\(word.rawValue)\"")
    }
    try advance()
    return try node(.literal(literal), from: start)
  }

  private mutating func call(_ name: String, at start: SourcePlace) throws(ExpressionError) -> SyntaxNode {
    try advance()
    var arguments: [SyntaxNode] = []
    if token.kind == .symbol(.close) { try advance() } else { arguments = try list(until: .close) }
    // Some functions of many arguments are typed as a chain.
    return try chain(.call(function: name.lowercased(), start, arguments), arguments.count, from: start, arguments)
  }

  /// `case when c then r … else e end`, and `case x when v then r … end`, which compares.
  private mutating func choice() throws(ExpressionError) -> SyntaxNode {
    let start = token.place
    try advance()
    let subject: SyntaxNode? = take(word: .when) ? nil : try expression()
    var branches: [(condition: SyntaxNode, result: SyntaxNode)] = []
    while take(word: .when) {
      try advance()
      var condition = try expression()
      if let subject {
        condition = try node(.binary(.equal, subject, condition), from: condition.place, subject, condition)
      }
      try expect(word: .then)
      branches.append((condition, try expression()))
    }
    guard !branches.isEmpty else { throw unexpected(expected: "when") }
    let otherwise: SyntaxNode? = try takeWord(.else) ? try expression() : nil
    try expect(word: .end)
    let children = branches.flatMap { [$0.condition, $0.result] } + (otherwise.map { [$0] } ?? [])
    return try chain(.choice(branches: branches, otherwise: otherwise), branches.count, from: start, children)
  }

  /// The name of a type: `double`, `decimal(10, 2)`.
  mutating func castTarget() throws(ExpressionError) -> CastTarget {
    guard case .name(let written) = token.kind else { throw unexpected(expected: "the name of a type") }
    let name = written.lowercased()
    let place = token.place
    if name == "decimal" || name == "numeric" {
      try advance()
      try expect(.open)
      let precision = try wholeNumber(in: 1...DecimalLimits.precisionMax)
      try expect(.comma)
      let scale = try wholeNumber(in: 0...precision)
      try expect(.close)
      return CastTarget(type: .decimal(scale: scale), precision: precision)
    }
    guard let type = CastTarget.names[name] else {
      throw ExpressionError(
        "no type has this name", at: place, found: "'\(written)'",
        expected: "boolean, integer, double, string, bytes, timestamp, date or decimal(digits, scale)",
        nearest: NearestName.of(name, in: Array(CastTarget.names.keys).sorted() + ["decimal"]))
    }
    try advance()
    return CastTarget(type: type)
  }

  private mutating func wholeNumber(in range: ClosedRange<Int>) throws(ExpressionError) -> Int {
    guard case .integer(let magnitude) = token.kind, let value = Int(exactly: magnitude), range.contains(value) else {
      throw unexpected(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    try advance()
    return value
  }
}
