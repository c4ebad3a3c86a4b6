/// Recursive descent over one document; what it takes from the text is bounded by the text's length.
struct JSONTreeBuilder: ~Escapable {
  private let bytes: Span<UInt8>
  private let depthMax: Int
  private var at = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, depthMax: Int) {
    self.bytes = bytes
    self.depthMax = depthMax
  }

  mutating func document() throws(JSONFault) -> JSONDocument {
    skipWhite()
    guard at < bytes.count else { throw fault(.blank) }
    let document = try value(depth: 0)
    skipWhite()
    guard at == bytes.count else { throw fault(.trailingContent) }
    return document
  }

  /// The byte that comes next; behind the end one that fits nowhere.
  private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

  private func fault(_ reason: JSONFault.Reason) -> JSONFault { JSONFault(reason: reason, position: at) }

  private mutating func skipWhite() {
    while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { at += 1 }
  }

  private mutating func value(depth: Int) throws(JSONFault) -> JSONDocument {
    let start = at
    guard depth < depthMax else { throw fault(.tooDeep) }
    let content: JSONDocument.Content
    switch next {
    case UInt8(ascii: "{"): content = .object(try members(depth: depth + 1))
    case UInt8(ascii: "["): content = .array(try elements(depth: depth + 1))
    case UInt8(ascii: "\""): content = .string(try string())
    default: content = try scalar()
    }
    return JSONDocument(content: content, range: start..<at)
  }

  private mutating func members(depth: Int) throws(JSONFault) -> [JSONDocument.Member] {
    var members: [JSONDocument.Member] = []
    at += 1
    skipWhite()
    guard next != UInt8(ascii: "}") else {
      at += 1
      return members
    }
    while true {
      let offset = at
      guard next == UInt8(ascii: "\"") else { throw fault(.expectedKey) }
      let name = try string()
      skipWhite()
      guard next == UInt8(ascii: ":") else { throw fault(.expectedColon) }
      at += 1
      skipWhite()
      members.append(JSONDocument.Member(name: name, offset: offset, value: try value(depth: depth)))
      if try isAtEnd(UInt8(ascii: "}")) { return members }
    }
  }

  private mutating func elements(depth: Int) throws(JSONFault) -> [JSONDocument] {
    var elements: [JSONDocument] = []
    at += 1
    skipWhite()
    guard next != UInt8(ascii: "]") else {
      at += 1
      return elements
    }
    while true {
      elements.append(try value(depth: depth))
      if try isAtEnd(UInt8(ascii: "]")) { return elements }
    }
  }

  /// Goes behind a comma and the white space around it, or behind `close`.
  private mutating func isAtEnd(_ close: UInt8) throws(JSONFault) -> Bool {
    skipWhite()
    guard next == UInt8(ascii: ",") || next == close else { throw fault(.expectedCommaOrEnd) }
    let isEnd = next == close
    at += 1
    if !isEnd { skipWhite() }
    return isEnd
  }

  private mutating func string() throws(JSONFault) -> String {
    let quote = at
    at += 1
    var hasEscapes = false
    while next != UInt8(ascii: "\"") {
      guard at < bytes.count else { throw JSONFault(reason: .unclosedString, position: quote) }
      guard next >= 0x20 else { throw fault(.controlCharacter) }
      if next == UInt8(ascii: "\\") {
        hasEscapes = true
        let count = JSONText.escapeByteCount(bytes, at: at)
        guard count > 0 else { throw fault(.invalidEscape) }
        at += count
      } else {
        at += 1
      }
    }
    let inside = bytes.extracting((quote + 1)..<at)
    at += 1
    guard hasEscapes else { return try text(inside, quote: quote) }
    var unescaped: [UInt8] = []
    JSONText.unescape(inside, into: &unescaped)
    return try text(unescaped.span, quote: quote)
  }

  private func text(_ bytes: Span<UInt8>, quote: Int) throws(JSONFault) -> String {
    do throws(UTF8.ValidationError) {
      return String(copying: try UTF8Span(validating: bytes))
    } catch {
      throw JSONFault(reason: .invalidUTF8, position: quote)
    }
  }

  private mutating func scalar() throws(JSONFault) -> JSONDocument.Content {
    let start = at
    while Self.belongsToScalar(next) { at += 1 }
    let word = bytes.extracting(start..<at)
    let content: JSONDocument.Content
    switch word.isEmpty ? 0 : word[0] {
    case UInt8(ascii: "n") where word.isEqual(to: "null"): content = .null
    case UInt8(ascii: "t") where word.isEqual(to: "true"): content = .boolean(true)
    case UInt8(ascii: "f") where word.isEqual(to: "false"): content = .boolean(false)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
      guard JSONNumber.isValid(word) else { throw JSONFault(reason: .invalidNumber, position: start) }
      content = .number(try text(word, quote: start))
    default: throw JSONFault(reason: .expectedValue, position: start)
    }
    return content
  }

  private static func belongsToScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

extension Span<UInt8> {
  fileprivate func isEqual(to word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    return indices.allSatisfy { unsafe self[$0] == word.utf8Start[$0] }
  }
}
