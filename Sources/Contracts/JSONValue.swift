internal import Core
internal import CSimdjson

/// Where one field's value is in the bytes that a `JSONFieldReader` read, and what it is.
package struct JSONValue: Equatable, Sendable {
  package enum Kind: UInt32, Sendable {
    /// The document has no such field.
    case missing
    case null
    case `false`
    case `true`
    /// A number without fraction and exponent; of any size.
    case integer
    /// A number with a fraction or an exponent.
    case decimal
    /// A string whose bytes are its text.
    case string
    /// A string with backslash escapes: `JSONText.unescaped` gives its text.
    case escapedString
    case object
    case array
  }

  package var kind: Kind
  /// Bytes from the start of the buffer; for strings that of the text, behind the quote.
  package var offset: Int
  /// For strings without the quotes.
  package var count: Int

  package init(kind: Kind, offset: Int, count: Int) {
    self.kind = kind
    self.offset = offset
    self.count = count
  }

  package var range: Range<Int> { offset..<(offset + count) }

  init(_ value: csimdjson_value) {
    self.init(kind: Kind(rawValue: value.kind) ?? .missing, offset: Int(value.offset), count: Int(value.length))
  }
}
