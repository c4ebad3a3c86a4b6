internal import Core
internal import Contracts

/// Writes JSON in the order of the calls: equal calls, equal bytes.
struct JSONWriter {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  var text: String { String(decoding: bytes, as: UTF8.self) }

  mutating func object(_ body: (inout JSONWriter) -> Void) { nested("{", "}", body) }
  mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    nested("{", "}", body)
  }
  mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    nested("[", "]", body)
  }
  mutating func member(_ name: String, _ text: String?) {
    key(name)
    if let text { JSONText.appendString(text, to: &bytes) } else { bytes += Array("null".utf8) }
    needsComma = true
  }
  mutating func member(_ name: String, _ number: some BinaryInteger) { raw(name, String(number)) }
  mutating func member(_ name: String, _ number: Double) { raw(name, number.isFinite ? "\(number)" : "null") }
  mutating func member(_ name: String, _ flag: Bool) { raw(name, flag ? "true" : "false") }
  mutating func member(_ name: String, _ texts: [String]) {
    key(name)
    strings(texts, isElement: false)
  }

  /// An element of an array: a list of texts.
  mutating func strings(_ texts: [String], isElement: Bool = true) {
    if isElement { separate() }
    bytes.append(UInt8(ascii: "["))
    for (index, text) in texts.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      JSONText.appendString(text, to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  /// A document that is JSON already.
  mutating func json(_ name: String, _ text: String) { raw(name, text) }

  private mutating func raw(_ name: String, _ text: String) {
    key(name)
    bytes += Array(text.utf8)
    needsComma = true
  }

  private mutating func key(_ name: String) {
    separate()
    JSONText.appendString(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func nested(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
    separate()
    bytes.append(UInt8(ascii: open))
    needsComma = false
    body(&self)
    bytes.append(UInt8(ascii: close))
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = false
  }
}

/// `[["a", "b"], ["c"]]` out of bytes that are known to be valid JSON.
enum JSONStringLists {
  /// - Returns: nil when there is anything but lists of texts.
  static func read(_ bytes: [UInt8]) -> [[String]]? {
    var lists: [[String]] = []
    var depth = 0
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "["):
        depth += 1
        if depth == 2 { lists.append([]) }
        if depth > 2 { return nil }
      case UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        let start = index + 1
        index = start
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard depth == 2, index < bytes.count, let last = lists.indices.last else { return nil }
        var text: [UInt8] = []
        JSONText.unescape(bytes.span.extracting(start..<index), into: &text)
        lists[last].append(String(decoding: text, as: UTF8.self))
      case UInt8(ascii: ","), 0x20, 0x09, 0x0a, 0x0d: break
      default: return nil
      }
      index += 1
    }
    return lists
  }
}
