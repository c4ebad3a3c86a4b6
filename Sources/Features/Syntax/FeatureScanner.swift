internal import Expressions

/// Cuts the parts of a feature's text that are not expressions.
struct FeatureScanner {
  let bytes: [UInt8]
  var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 0x20 || (0x09...0x0d).contains(bytes[position]) { position += 1 }
  }

  /// A name, keyword, number or duration: letters, digits, `_` and points. Empty when there is none.
  mutating func word() -> (text: String, place: SourcePlace) {
    skipSpace()
    let start = position
    while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
    return (String(decoding: bytes[start..<position], as: UTF8.self), .init(offset: start, length: position - start))
  }

  /// Takes a symbol if it comes next.
  mutating func take(_ symbol: Character) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == symbol.asciiValue else { return false }
    position += 1
    return true
  }

  /// Takes a word if it comes next.
  mutating func take(word wanted: String) -> Bool {
    let start = position
    if word().text.lowercased() == wanted { return true }
    position = start
    return false
  }

  /// What comes next, for messages.
  mutating func found() -> (text: String, place: SourcePlace) {
    skipSpace()
    let start = position
    guard start < bytes.count else { return ("the end", .init(offset: start, length: 0)) }
    var (text, place) = word()
    if text.isEmpty {
      let rest = String(decoding: bytes[start...], as: UTF8.self)
      text = String(rest.prefix(1))
      place.length = text.utf8.count
    }
    position = start
    return ("'\(text.prefix(40))'", place)
  }

  /// Whether the word `over` stands outside of parentheses and quotes somewhere behind the position.
  var hasWindows: Bool {
    var copy = self
    var depth = 0
    while copy.position < bytes.count {
      let byte = bytes[copy.position]
      if Self.isWord(byte) {
        if copy.word().text.lowercased() == "over", depth == 0 { return true }
        continue
      }
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        copy.position += 1
        while copy.position < bytes.count, bytes[copy.position] != byte { copy.position += 1 }
      }
      if byte == UInt8(ascii: "(") { depth += 1 }
      if byte == UInt8(ascii: ")") { depth -= 1 }
      copy.position += 1
    }
    return false
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
