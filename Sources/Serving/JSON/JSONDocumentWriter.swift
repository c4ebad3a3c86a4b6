internal import Core
internal import NIOCore

/// Writes JSON for people and programs that ask now and then; answers of features are written by hand.
struct JSONDocumentWriter {
  private(set) var body = ByteBuffer()
  private var needsComma = false

  static func object(_ content: (inout JSONDocumentWriter) -> Void) -> ByteBuffer {
    var writer = JSONDocumentWriter()
    writer.nest("{", "}", content)
    return writer.body
  }

  mutating func object(_ name: String, _ content: (inout JSONDocumentWriter) -> Void) {
    key(name)
    nest("{", "}", content)
  }

  /// An object for each element.
  mutating func objects<Elements: Sequence>(
    _ name: String, _ elements: Elements, _ content: (inout JSONDocumentWriter, Elements.Element) -> Void
  ) {
    key(name)
    nest("[", "]") { writer in
      for element in elements { writer.nest("{", "}") { content(&$0, element) } }
    }
  }

  mutating func strings(_ name: String, _ texts: [String]) {
    key(name)
    nest("[", "]") { writer in
      for text in texts {
        writer.separate()
        writer.body.writeQuoted(text)
        writer.needsComma = true
      }
    }
  }

  mutating func member(_ name: String, _ text: String?) {
    key(name)
    if let text { body.writeQuoted(text) } else { body.write("null") }
    needsComma = true
  }

  mutating func member(_ name: String, _ number: Int64?) {
    key(name)
    if let number { body.writeDecimal(number) } else { body.write("null") }
    needsComma = true
  }

  mutating func member(_ name: String, seconds milliseconds: Int64?) {
    key(name)
    if let milliseconds { body.writeDouble(Double(milliseconds) / 1_000) } else { body.write("null") }
    needsComma = true
  }

  mutating func member(_ name: String, time milliseconds: Int64?) {
    key(name)
    if let milliseconds {
      body.write("\"")
      body.writeTime(milliseconds: milliseconds)
      body.write("\"")
    } else {
      body.write("null")
    }
    needsComma = true
  }

  /// Null of what JSON has no number for, too.
  mutating func member(_ name: String, number: Double?) {
    key(name)
    if let number, number.isFinite { body.writeDouble(number) } else { body.write("null") }
    needsComma = true
  }

  mutating func member(_ name: String, _ flag: Bool) {
    key(name)
    body.write(flag ? "true" : "false")
    needsComma = true
  }

  mutating func member(_ name: String, double number: Double?) {
    key(name)
    if let number, number.isFinite { body.writeDouble(number) } else { body.write("null") }
    needsComma = true
  }

  mutating func member(_ name: String, optional flag: Bool?) {
    key(name)
    body.write(flag.map { $0 ? "true" : "false" } ?? "null")
    needsComma = true
  }

  private mutating func key(_ name: String) {
    separate()
    body.writeQuoted(name)
    body.write(":")
    needsComma = false
  }

  private mutating func nest(
    _ open: StaticString, _ close: StaticString, _ content: (inout JSONDocumentWriter) -> Void
  ) {
    separate()
    body.write(open)
    needsComma = false
    content(&self)
    body.write(close)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { body.write(",") }
    needsComma = false
  }
}
