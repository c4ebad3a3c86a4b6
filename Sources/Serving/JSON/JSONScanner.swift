internal import Contracts

/// Where a text stops being JSON, and why.
struct JSONSyntaxError: Error, Equatable {
  enum Reason: String {
    case expectedValue = "Expecting value"
    case expectedName = "Expecting property name enclosed in double quotes"
    case expectedColon = "Expecting ':' delimiter"
    case expectedComma = "Expecting ',' delimiter"
    case expectedEnd = "Extra data"
    case unterminatedString = "Unterminated string"
    case controlCharacter = "Invalid control character"
    case badEscape = "Invalid escape"
    case badNumber = "Invalid number"
    case tooDeep = "Nested too deeply"
    case notUTF8 = "Not UTF-8"
  }

  var reason: Reason
  /// Bytes from the start of the text.
  var offset: Int
}

/// Walks through one JSON text (RFC 8259) from front to back and hands out where its values lie.
///
/// Nothing is copied and nothing allocated; whoever walks decides which objects and arrays to enter and which to skip.
/// What is skipped is checked as strictly as the rest. The text has to be UTF-8: check it once, before.
struct JSONScanner: ~Escapable {
  let text: Span<UInt8>
  /// How deep arrays and objects may be nested in one another; at most 64.
  let depthMax: Int
  private(set) var offset = 0
  private var depth = 0

  @_lifetime(copy text)
  init(_ text: Span<UInt8>, depthMax: Int) {
    self.text = text
    self.depthMax = min(depthMax, 64)
  }

  // MARK: Objects and arrays that the caller enters

  /// Enters an object or array: `nextName` or `nextElement` follow until they return nil or false.
  mutating func enter(_ open: UInt8) throws(JSONSyntaxError) {
    skipSpace()
    guard peek == open else { throw failure(.expectedValue) }
    depth += 1
    guard depth <= depthMax else { throw failure(.tooDeep) }
    offset += 1
  }

  /// - Parameter isFirst: whether the object was entered just now.
  /// - Returns: the next member's name, its value being next; nil at the end of the object, which is left.
  mutating func nextName(isFirst: Bool) throws(JSONSyntaxError) -> JSONValue? {
    guard try nextItem(isFirst: isFirst, close: UInt8(ascii: "}")) else { return nil }
    skipSpace()
    guard peek == UInt8(ascii: "\"") else { throw failure(.expectedName) }
    let name = try string()
    skipSpace()
    guard peek == UInt8(ascii: ":") else { throw failure(.expectedColon) }
    offset += 1
    return name
  }

  /// - Returns: whether an element is next; otherwise the array is left.
  mutating func nextElement(isFirst: Bool) throws(JSONSyntaxError) -> Bool {
    try nextItem(isFirst: isFirst, close: UInt8(ascii: "]"))
  }

  private mutating func nextItem(isFirst: Bool, close: UInt8) throws(JSONSyntaxError) -> Bool {
    skipSpace()
    if peek == close {
      offset += 1
      depth -= 1
      return false
    }
    if isFirst { return true }
    guard peek == UInt8(ascii: ",") else { throw failure(.expectedComma) }
    offset += 1
    skipSpace()
    if peek == close { throw failure(close == UInt8(ascii: "}") ? .expectedName : .expectedValue) }
    return true
  }

  /// What kind of value is next, without going there; nil when none is.
  mutating func nextKind() -> JSONValue.Kind? {
    skipSpace()
    return switch peek {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"): .true
    case UInt8(ascii: "f"): .false
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .decimal
    default: nil
    }
  }

  // MARK: Values

  /// Takes one value of any kind; objects and arrays with everything in them.
  mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    let start = offset
    switch peek {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let kind: JSONValue.Kind = peek == UInt8(ascii: "{") ? .object : .array
      try skipNested()
      return JSONValue(kind: kind, offset: start, count: offset - start)
    case UInt8(ascii: "t"): return try literal("true", .true)
    case UInt8(ascii: "f"): return try literal("false", .false)
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  /// Nothing but white space may follow.
  mutating func end() throws(JSONSyntaxError) {
    skipSpace()
    guard offset == text.count else { throw failure(.expectedEnd) }
  }

  /// Skips an object or array without recursion.
  private mutating func skipNested() throws(JSONSyntaxError) {
    // A bit for every open one, the innermost lowest; set for objects.
    var isObject: UInt64 = 0
    var open = 0
    var isFirst = true
    repeat {
      if open > 0 {
        let hasMore =
          isObject & 1 == 1 ? try nextName(isFirst: isFirst) != nil : try nextElement(isFirst: isFirst)
        guard hasMore else {
          isObject >>= 1
          open -= 1
          isFirst = false
          continue
        }
      }
      skipSpace()
      let byte = peek
      if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        try enter(byte)
        isObject = isObject << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
        open += 1
        isFirst = true
      } else {
        _ = try value()
        isFirst = false
      }
    } while open > 0
  }
}

extension JSONScanner {
  /// The byte that is next; 0, which no JSON text holds outside of a string, at the end.
  private var peek: UInt8 { offset < text.count ? text[offset] : 0 }

  private mutating func skipSpace() {
    while offset < text.count {
      switch text[offset] {
      case 0x20, 0x0a, 0x0d, 0x09: offset += 1
      default: return
      }
    }
  }

  private func failure(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
    JSONSyntaxError(reason: reason, offset: offset)
  }

  private mutating func literal(
    _ word: StaticString, _ kind: JSONValue.Kind
  ) throws(JSONSyntaxError) -> JSONValue {
    let start = offset
    let length = word.utf8CodeUnitCount
    guard text.count - start >= length else { throw failure(.expectedValue) }
    for index in 0..<length {
      guard unsafe word.utf8Start[index] == text[start + index] else { throw failure(.expectedValue) }
    }
    offset = start + length
    return JSONValue(kind: kind, offset: start, count: length)
  }

  /// Takes a string whose quote is next. What is between the quotes is handed out as it stands.
  private mutating func string() throws(JSONSyntaxError) -> JSONValue {
    let quote = offset
    var at = quote + 1
    var kind = JSONValue.Kind.string
    while at < text.count {
      switch text[at] {
      case UInt8(ascii: "\""):
        offset = at + 1
        return JSONValue(kind: kind, offset: quote + 1, count: at - quote - 1)
      case UInt8(ascii: "\\"):
        kind = .escapedString
        at = try escape(at)
      case 0..<0x20:
        throw JSONSyntaxError(reason: .controlCharacter, offset: at)
      default: at += 1
      }
    }
    throw JSONSyntaxError(reason: .unterminatedString, offset: quote)
  }

  /// - Returns: where the text goes on behind the escape at `start`.
  private func escape(_ start: Int) throws(JSONSyntaxError) -> Int {
    let bad = JSONSyntaxError(reason: .badEscape, offset: start)
    guard start + 1 < text.count else { throw bad }
    switch text[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start + 2
    case UInt8(ascii: "u"):
      guard start + 6 <= text.count else { throw bad }
      for index in (start + 2)..<(start + 6) {
        switch text[index] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
          UInt8(ascii: "A")...UInt8(ascii: "F"):
          continue
        default: throw bad
        }
      }
      return start + 6
    default: throw bad
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = offset
    var kind = JSONValue.Kind.integer
    if peek == UInt8(ascii: "-") { offset += 1 }
    let leadsWithZero = peek == UInt8(ascii: "0")
    let integerDigits = skipDigits()
    guard integerDigits > 0 else {
      let reason: JSONSyntaxError.Reason = offset == start ? .expectedValue : .badNumber
      throw JSONSyntaxError(reason: reason, offset: start)
    }
    guard !leadsWithZero || integerDigits == 1 else { throw JSONSyntaxError(reason: .badNumber, offset: start) }
    if peek == UInt8(ascii: ".") {
      kind = .decimal
      offset += 1
      guard skipDigits() > 0 else { throw JSONSyntaxError(reason: .badNumber, offset: start) }
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      kind = .decimal
      offset += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
      guard skipDigits() > 0 else { throw JSONSyntaxError(reason: .badNumber, offset: start) }
    }
    return JSONValue(kind: kind, offset: start, count: offset - start)
  }

  private mutating func skipDigits() -> Int {
    let start = offset
    while offset < text.count, text[offset] &- UInt8(ascii: "0") < 10 { offset += 1 }
    return offset - start
  }
}
