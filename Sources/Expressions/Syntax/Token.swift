/// The smallest parts of an expression's text.
struct Token: Sendable {
  enum Kind: Sendable, Equatable {
    /// A field, a function or a word of the language; `device.os`, `view:feature`.
    case name(String)
    /// A name between double quotes: always a field.
    case quotedName(String)
    /// Digits only. The magnitude of the least 64-bit integer is one more than the greatest.
    case integer(UInt64)
    /// Digits with a point or an exponent, as written.
    case number(String)
    case duration(milliseconds: Int64)
    case string(String)
    /// `x'00ff'`
    case bytes([UInt8])
    case symbol(Symbol)
    case end
  }

  enum Symbol: String, Sendable, CaseIterable {
    case plus = "+"
    case minus = "-"
    case times = "*"
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
    case open = "("
    case close = ")"
    case comma = ","
    case cast = "::"
  }

  var kind: Kind
  var place: SourcePlace

  /// How an error names the token.
  var found: String {
    switch kind {
    case .name(let name): "'\(name)'"
    case .quotedName(let name): "\"\(name)\""
    case .integer(let value): "\(value)"
    case .number(let text): text
    case .duration(let milliseconds): DurationText.text(milliseconds: milliseconds)
    case .string(let text): "the text '\(text.prefix(40))'"
    case .bytes: "a bytes literal"
    case .symbol(let symbol): "'\(symbol.rawValue)'"
    case .end: "the end"
    }
  }

  /// The word of the language that the token is; words are known in any case, and never are dotted.
  var word: Word? {
    guard case .name(let name) = kind else { return nil }
    return Word(rawValue: name.lowercased())
  }
}

/// Reserved words: fields of these names need double quotes.
enum Word: String, CaseIterable, Sendable {
  case and, or, not, `is`, null, `in`, between, like, escape, `case`, when, then, `else`, end, `true`, `false`, cast,
    `as`
  case over, `where`
}
