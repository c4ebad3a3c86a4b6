/// A small JSON document as a tree that remembers where everything stands: schemas, defaults, arrays inside of events.
///
/// What a hot path reads goes through the field reader of `Contracts`, which builds no tree.
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

  package var double: Double? {
    if case .number(let text) = content { Double(text) } else { nil }
  }

  /// Of an array.
  package var elements: [JSONDocument]? {
    if case .array(let elements) = content { elements } else { nil }
  }
}

extension JSONDocument {
  /// Reads exactly one document (RFC 8259), white space around it allowed.
  ///
  /// - Parameter depthMax: how deep objects and arrays may be nested: the reading recurses.
  package init(_ bytes: Span<UInt8>, depthMax: Int) throws(JSONFault) {
    var builder = JSONTreeBuilder(bytes, depthMax: depthMax)
    self = try builder.document()
  }

  package init(_ bytes: [UInt8], depthMax: Int) throws(JSONFault) { try self.init(bytes.span, depthMax: depthMax) }
}
