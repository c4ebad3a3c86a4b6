package import Core

/// A small JSON document as a tree that remembers where everything stands: schemas, defaults, arrays inside of events.
///
/// What a hot path reads goes through `JSONFieldReader`, which builds no tree.
package struct JSONDocument: Sendable {
  package indirect enum Content: Sendable {
    case null
    case boolean(Bool)
    /// As it is written.
    case number(String)
    case string(String)
    case array([JSONDocument])
    case object([Member])
  }

  package struct Member: Sendable {
    package var name: String
    /// Of the name's quote.
    package var offset: Int
    package var value: JSONDocument
  }

  package var content: Content
  /// The bytes that it was read from, quotes and brackets included.
  package var range: Range<Int>

  /// What it is, in an error's words.
  package var kind: String {
    switch content {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let text): text
    case .string(let text): "\"\(text)\""
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The member of an object; of a name that comes twice the last one.
  package subscript(name: String) -> JSONDocument? { member(name)?.value }

  package func member(_ name: String) -> Member? {
    guard case .object(let members) = content else { return nil }
    return members.last { $0.name == name }
  }

  package var string: String? {
    if case .string(let text) = content { text } else { nil }
  }

  package var boolean: Bool? {
    if case .boolean(let value) = content { value } else { nil }
  }

  package var isNull: Bool {
    if case .null = content { true } else { false }
  }

  /// Of a number that is integral, however it is written.
  package var integer: Int64? {
    if case .number(let text) = content { JSONNumber.integer(text) } else { nil }
  }
}

extension JSONDocument {
  package enum Failure: Error {
    case notJSON(JSONFault)
    case tooDeep(position: Int)
    case failed(HeadraceError)
  }

  /// - Parameter depthMax: how deep objects and arrays may be nested: the reading recurses.
  package init(_ bytes: [UInt8], depthMax: Int) throws(Failure) {
    var found: JSONFault?
    do throws(HeadraceError) {
      var reader = try JSONFieldReader(fields: [])
      try reader.read(bytes.span, ends: [UInt32(clamping: bytes.count)])
      found = reader.fault(document: 0)
    } catch {
      throw .failed(error)
    }
    if let found { throw .notJSON(found) }
    var builder = JSONTreeBuilder(bytes.span, depthMax: depthMax)
    self = try builder.document()
  }

  /// - Parameter bytes: exactly one valid document, white space around it allowed: somebody checked that already.
  package init(valid bytes: Span<UInt8>, depthMax: Int) throws(Failure) {
    var builder = JSONTreeBuilder(bytes, depthMax: depthMax)
    self = try builder.document()
  }
}

/// Recursive descent over a document that is known to be valid.
private struct JSONTreeBuilder: ~Escapable {
  let bytes: Span<UInt8>
  let depthMax: Int
  var at = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, depthMax: Int) {
    self.bytes = bytes
    self.depthMax = depthMax
  }

  private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

  private mutating func skipWhite() {
    while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { at += 1 }
  }

  mutating func document() throws(JSONDocument.Failure) -> JSONDocument { try value(depth: 0) }

  private mutating func value(depth: Int) throws(JSONDocument.Failure) -> JSONDocument {
    skipWhite()
    let start = at
    guard depth < depthMax else { throw .tooDeep(position: start) }
    let content: JSONDocument.Content
    switch next {
    case UInt8(ascii: "{"): content = .object(try members(depth: depth + 1))
    case UInt8(ascii: "["): content = .array(try elements(depth: depth + 1))
    case UInt8(ascii: "\""): content = .string(string())
    default: content = scalar()
    }
    return JSONDocument(content: content, range: start..<at)
  }

  private mutating func members(depth: Int) throws(JSONDocument.Failure) -> [JSONDocument.Member] {
    var members: [JSONDocument.Member] = []
    at += 1
    skipWhite()
    while next == UInt8(ascii: "\"") {
      let offset = at
      let name = string()
      skipWhite()
      at += 1
      members.append(JSONDocument.Member(name: name, offset: offset, value: try value(depth: depth)))
      skipWhite()
      if next == UInt8(ascii: ",") { at += 1 }
      skipWhite()
    }
    at += 1
    return members
  }

  private mutating func elements(depth: Int) throws(JSONDocument.Failure) -> [JSONDocument] {
    var elements: [JSONDocument] = []
    at += 1
    skipWhite()
    while at < bytes.count && next != UInt8(ascii: "]") {
      elements.append(try value(depth: depth))
      skipWhite()
      if next == UInt8(ascii: ",") { at += 1 }
      skipWhite()
    }
    at += 1
    return elements
  }

  private mutating func string() -> String {
    let start = at + 1
    at = start
    var hasEscapes = false
    while at < bytes.count && next != UInt8(ascii: "\"") {
      if next == UInt8(ascii: "\\") {
        hasEscapes = true
        at += 1
      }
      at += 1
    }
    let inside = bytes.extracting(start..<min(at, bytes.count))
    at += 1
    var text: [UInt8] = []
    if hasEscapes {
      JSONText.unescape(inside, into: &text)
    } else {
      for index in inside.indices { text.append(inside[index]) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func scalar() -> JSONDocument.Content {
    var text: [UInt8] = []
    while at < bytes.count, Self.belongsToScalar(next) {
      text.append(next)
      at += 1
    }
    switch String(decoding: text, as: UTF8.self) {
    case "null": return .null
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case let number: return .number(number)
    }
  }

  private static func belongsToScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"),
      UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
