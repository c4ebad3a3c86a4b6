/// The oracle: a plain recursive reader of RFC 8259, slow and easy to check by eye.
indirect enum NaiveJSON {
  case null, `false`, `true`
  case integer, decimal
  /// With the text that it stands for.
  case string(text: [UInt8], hasEscapes: Bool)
  case array
  case object([Member])

  struct Member {
    var name: [UInt8]
    var value: Located
  }

  struct Located {
    var json: NaiveJSON
    /// For strings between the quotes.
    var range: Range<Int>
  }

  /// - Returns: nil when `bytes` is not exactly one valid document.
  static func parse(_ bytes: ArraySlice<UInt8>) -> Located? {
    guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
    var parser = NaiveParser(bytes: bytes, at: bytes.startIndex)
    guard let value = parser.value(depth: 0) else { return nil }
    parser.skipWhite()
    return parser.at == bytes.endIndex ? value : nil
  }
}

extension NaiveJSON.Located {
  /// The field at `path`; of a name that comes twice the last one.
  func field(_ path: ArraySlice<[UInt8]>) -> Self? {
    guard let name = path.first else { return self }
    guard case .object(let members) = json, let member = members.last(where: { $0.name == name }) else { return nil }
    return member.value.field(path.dropFirst())
  }
}

private struct NaiveParser {
  let bytes: ArraySlice<UInt8>
  var at: Int

  var next: UInt8? { at < bytes.endIndex ? bytes[at] : nil }

  mutating func skipWhite() {
    while let byte = next, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { at += 1 }
  }

  mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    at += 1
    return true
  }

  mutating func value(depth: Int) -> NaiveJSON.Located? {
    skipWhite()
    let start = at
    switch next {
    case UInt8(ascii: "{"): return depth < 1_024 ? object(depth: depth, start: start) : nil
    case UInt8(ascii: "["): return depth < 1_024 ? array(depth: depth, start: start) : nil
    case UInt8(ascii: "\""):
      guard let (text, hasEscapes) = string() else { return nil }
      return .init(json: .string(text: text, hasEscapes: hasEscapes), range: (start + 1)..<(at - 1))
    case UInt8(ascii: "t"): return word("true", .true)
    case UInt8(ascii: "f"): return word("false", .false)
    case UInt8(ascii: "n"): return word("null", .null)
    default: return number(start: start)
    }
  }

  private mutating func word(_ text: String, _ json: NaiveJSON) -> NaiveJSON.Located? {
    guard bytes[at...].starts(with: text.utf8) else { return nil }
    let start = at
    at += text.utf8.count
    return .init(json: json, range: start..<at)
  }

  private mutating func digits() -> Int {
    let start = at
    while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
    return at - start
  }

  private mutating func number(start: Int) -> NaiveJSON.Located? {
    _ = take("-")
    let isZero = next == UInt8(ascii: "0")
    let count = digits()
    guard count > 0, !(isZero && count > 1) else { return nil }
    var json = NaiveJSON.integer
    if take(".") {
      guard digits() > 0 else { return nil }
      json = .decimal
    }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      guard digits() > 0 else { return nil }
      json = .decimal
    }
    return .init(json: json, range: start..<at)
  }

  private mutating func array(depth: Int, start: Int) -> NaiveJSON.Located? {
    at += 1
    skipWhite()
    if take("]") { return .init(json: .array, range: start..<at) }
    while true {
      guard value(depth: depth + 1) != nil else { return nil }
      skipWhite()
      if take("]") { return .init(json: .array, range: start..<at) }
      guard take(",") else { return nil }
    }
  }

  private mutating func object(depth: Int, start: Int) -> NaiveJSON.Located? {
    at += 1
    var members: [NaiveJSON.Member] = []
    skipWhite()
    if take("}") { return .init(json: .object([]), range: start..<at) }
    while true {
      skipWhite()
      guard next == UInt8(ascii: "\""), let (name, _) = string() else { return nil }
      skipWhite()
      guard take(":"), let value = value(depth: depth + 1) else { return nil }
      members.append(.init(name: name, value: value))
      skipWhite()
      if take("}") { return .init(json: .object(members), range: start..<at) }
      guard take(",") else { return nil }
    }
  }

  private mutating func string() -> (text: [UInt8], hasEscapes: Bool)? {
    at += 1
    var text: [UInt8] = []
    var hasEscapes = false
    while let byte = next {
      at += 1
      if byte == UInt8(ascii: "\"") { return (text, hasEscapes) }
      guard byte >= 0x20 else { return nil }
      if byte != UInt8(ascii: "\\") {
        text.append(byte)
        continue
      }
      hasEscapes = true
      guard let escaped = escape() else { return nil }
      text += Array(String(escaped).utf8)
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard let byte = next else { return nil }
    at += 1
    let simple: [Character: Unicode.Scalar] = [
      "\"": "\"", "\\": "\\", "/": "/", "b": "\u{8}", "f": "\u{c}", "n": "\n", "r": "\r", "t": "\t",
    ]
    if let scalar = simple[Character(Unicode.Scalar(byte))] { return scalar }
    guard byte == UInt8(ascii: "u"), let unit = hexadecimal() else { return nil }
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let behind = at
    if unit < 0xdc00, take("\\"), take("u"), let low = hexadecimal(), (0xdc00...0xdfff).contains(low) {
      return Unicode.Scalar(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
    }
    at = behind
    return "\u{fffd}"
  }

  private mutating func hexadecimal() -> UInt32? {
    let digits = bytes[at...].prefix(4)
    let isDigits = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }
    guard digits.count == 4, isDigits else { return nil }
    at += 4
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
