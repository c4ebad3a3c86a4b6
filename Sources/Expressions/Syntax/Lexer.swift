/// Cuts an expression's text into tokens, one at a time: what follows an expression need not be of this language.
struct Lexer {
  let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], from offset: Int) {
    self.bytes = bytes
    position = min(max(0, offset), bytes.count)
  }

  mutating func next() throws(ExpressionError) -> Token {
    while let byte = peek(), byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
    let start = position
    guard let byte = peek() else { return Token(kind: .end, place: .init(offset: start, length: 0)) }
    let kind: Token.Kind =
      if byte == Ascii.quote {
        .string(try quoted(by: Ascii.quote))
      } else if byte == Ascii.doubleQuote {
        .quotedName(try quoted(by: Ascii.doubleQuote))
      } else if (byte | 0x20) == UInt8(ascii: "x"), peek(1) == Ascii.quote {
        .bytes(try hexadecimal())
      } else if Ascii.isDigit(byte) || (byte == Ascii.point && peek(1).map(Ascii.isDigit) == true) {
        try number()
      } else if Ascii.startsName(byte) {
        .name(name())
      } else {
        .symbol(try symbol())
      }
    return Token(kind: kind, place: place(from: start))
  }

  private func peek(_ ahead: Int = 0) -> UInt8? {
    position + ahead < bytes.count ? bytes[position + ahead] : nil
  }

  private func place(from start: Int) -> SourcePlace { .init(offset: start, length: position - start) }

  private func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }
}

extension Lexer {
  /// Text between quotes; a quote inside is written twice.
  private mutating func quoted(by quote: UInt8) throws(ExpressionError) -> String {
    let start = position
    position += 1
    var content: [UInt8] = []
    while let byte = peek() {
      position += 1
      if byte != quote {
        content.append(byte)
      } else if peek() == quote {
        content.append(quote)
        position += 1
      } else {
        return String(decoding: content, as: UTF8.self)
      }
    }
    let mark = Character(Unicode.Scalar(quote))
    throw ExpressionError(
      "the text that begins here has no end", at: .init(offset: start, length: 1), found: "the end",
      expected: "a closing \(mark)", remedy: "a \(mark) inside is written twice: \(mark)\(mark)")
  }

  private mutating func hexadecimal() throws(ExpressionError) -> [UInt8] {
    let start = position
    position += 1
    let digits = try quoted(by: Ascii.quote)
    let values = digits.utf8.map { Ascii.hexadecimalDigit($0) }
    guard values.count % 2 == 0, values.allSatisfy({ $0 != nil }) else {
      throw ExpressionError(
        "a bytes literal holds pairs of hexadecimal digits", at: place(from: start), found: "'\(digits.prefix(40))'",
        expected: "such as x'00ff'")
    }
    let nibbles = values.compactMap(\.self)
    return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
  }

  /// `12`, `1.5`, `.5`, `1e-3`, or a duration: `30m`.
  private mutating func number() throws(ExpressionError) -> Token.Kind {
    let start = position
    skipDigits()
    var isWhole = true
    if peek() == Ascii.point, peek(1).map(Ascii.isDigit) == true {
      isWhole = false
      position += 1
      skipDigits()
    }
    if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
      let signs = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-") ? 1 : 0
      if peek(1 + signs).map(Ascii.isDigit) == true {
        isWhole = false
        position += 1 + signs
        skipDigits()
      }
    }
    let digitsEnd = position
    while let byte = peek(), Ascii.continuesName(byte) { position += 1 }
    let text = text(from: start)
    guard position == digitsEnd else {
      if let milliseconds = DurationText.milliseconds(text) { return .duration(milliseconds: milliseconds) }
      throw ExpressionError(
        "this is neither a number nor a duration", at: place(from: start), found: "'\(text.prefix(40))'",
        expected: "a number, or a whole number with \(DurationText.unitNames)")
    }
    if isWhole, let value = UInt64(text) { return .integer(value) }
    return .number(text)
  }

  private mutating func skipDigits() {
    while let byte = peek(), Ascii.isDigit(byte) { position += 1 }
  }

  /// Segments joined by `.`, `:` or `@`; a colon pair is the cast operator and ends the name.
  private mutating func name() -> String {
    let start = position
    while let byte = peek() {
      if Ascii.continuesName(byte) {
        position += 1
      } else if byte == Ascii.point || byte == Ascii.colon || byte == UInt8(ascii: "@"),
        let following = peek(1), Ascii.startsName(following)
      {
        position += 2
      } else {
        break
      }
    }
    return text(from: start)
  }

  private mutating func symbol() throws(ExpressionError) -> Token.Symbol {
    let start = position
    for length in [2, 1] where position + length <= bytes.count {
      let text = String(decoding: bytes[position..<position + length], as: UTF8.self)
      let name = Self.spellings[text] ?? text
      guard let symbol = Token.Symbol(rawValue: name) else { continue }
      position += length
      return symbol
    }
    position += 1
    while let byte = peek(), byte & 0xc0 == 0x80 { position += 1 }
    let character = text(from: start)
    throw ExpressionError(
      "this character is not part of the language", at: place(from: start), found: "'\(character)'",
      remedy: Self.remedies[character])
  }

  private static let spellings = ["==": "=", "<>": "!="]
  private static let remedies = [
    "&": "write and", "|": "write or; || joins texts", "!": "write not", "^": "write power(x, y)",
    "`": "names with special characters have double quotes",
  ]
}

/// Classes of bytes.
enum Ascii {
  static let quote = UInt8(ascii: "'")
  static let doubleQuote = UInt8(ascii: "\"")
  static let point = UInt8(ascii: ".")
  static let colon = UInt8(ascii: ":")

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// Letters, the underscore, and every byte of a character outside of ASCII.
  static func startsName(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte >= 0x80
  }

  static func continuesName(_ byte: UInt8) -> Bool { startsName(byte) || isDigit(byte) }

  static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46, 0x61...0x66: (byte | 0x20) - 0x57
    default: nil
    }
  }
}
