/// JSON written front to back; the caller keeps the order of keys.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8] = []
  /// Whether a comma is due before the next member, for each open object or array.
  private var needsComma: [Bool] = []
  /// The value that comes next stands directly behind a colon.
  private var isAfterKey = false

  package init() {}

  package mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    needsComma.removeAll(keepingCapacity: true)
  }

  package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    try nested("{", "}", body)
  }

  package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    try nested("[", "]", body)
  }

  /// Starts a member of the innermost object; its value must follow.
  package mutating func key(_ name: String) {
    separate()
    JSONText.appendString(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    isAfterKey = true
  }

  package mutating func string(_ text: String) { value { JSONText.appendString(text, to: &$0) } }
  package mutating func number(_ number: some BinaryInteger) { value { $0 += String(number).utf8 } }
  package mutating func boolean(_ value: Bool) { self.value { $0 += (value ? "true" : "false").utf8 } }
  package mutating func null() { value { $0 += "null".utf8 } }

  /// Bytes that are one valid JSON value already.
  package mutating func raw(_ json: some Sequence<UInt8>) { value { $0 += json } }

  package mutating func value(_ body: (inout [UInt8]) -> Void) {
    separate()
    body(&bytes)
  }

  private mutating func separate() {
    if isAfterKey {
      isAfterKey = false
    } else if let last = needsComma.indices.last {
      if needsComma[last] { bytes.append(UInt8(ascii: ",")) }
      needsComma[last] = true
    }
  }

  private mutating func nested(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) throws -> Void
  ) rethrows {
    separate()
    bytes.append(UInt8(ascii: open))
    needsComma.append(false)
    try body(&self)
    needsComma.removeLast()
    bytes.append(UInt8(ascii: close))
  }
}
