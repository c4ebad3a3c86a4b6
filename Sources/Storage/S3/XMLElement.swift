/// An element of the small XML documents that S3 answers with: names, text and children; attributes are skipped.
package struct XMLElement {
  package let name: String
  package private(set) var text = ""
  package private(set) var children: [XMLElement] = []

  package enum Failure: Error { case malformed(offset: Int), tooDeep(offset: Int) }

  /// - Throws: for what is no such document. A document type is none: entities of its own are how small documents
  ///   become large.
  package init(_ bytes: [UInt8]) throws(Failure) {
    var reader = XMLReader(bytes)
    self = try reader.document()
  }

  fileprivate init(name: String) { self.name = name }

  package func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The text of the first child of that name.
  package subscript(name: String) -> String? { children.first { $0.name == name }?.text }

  fileprivate mutating func add(_ child: XMLElement) { children.append(child) }
  fileprivate mutating func add(_ text: String) { self.text += text }
}

private struct XMLReader {
  private let bytes: [UInt8]
  private var at = 0
  private static let depthMax = 16

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(XMLElement.Failure) -> XMLElement {
    skipWhite()
    if starts(with: "<?") { try skip(behind: "?>") }
    skipWhite()
    while starts(with: "<!--") {
      try skip(behind: "-->")
      skipWhite()
    }
    return try element(depth: 0)
  }

  /// An element from its `<` on.
  private mutating func element(depth: Int) throws(XMLElement.Failure) -> XMLElement {
    guard depth < Self.depthMax else { throw .tooDeep(offset: at) }
    guard take("<") else { throw .malformed(offset: at) }
    var element = XMLElement(name: try name())
    if try isEmptyTag() { return element }
    while true {
      if starts(with: "<!--") {
        try skip(behind: "-->")
      } else if take("</") {
        guard try name() == element.name else { throw .malformed(offset: at) }
        skipWhite()
        guard take(">") else { throw .malformed(offset: at) }
        return element
      } else if at < bytes.count, bytes[at] == UInt8(ascii: "<") {
        element.add(try self.element(depth: depth + 1))
      } else {
        element.add(try text())
      }
    }
  }

  private mutating func name() throws(XMLElement.Failure) -> String {
    let start = at
    while at < bytes.count, !" \t\r\n/><=&\"'!?".utf8.contains(bytes[at]) { at += 1 }
    guard at > start else { throw .malformed(offset: at) }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  /// Goes behind the start tag; true when it is the end tag too.
  private mutating func isEmptyTag() throws(XMLElement.Failure) -> Bool {
    while at < bytes.count {
      skipWhite()
      if take("/>") { return true }
      if take(">") { return false }
      _ = try name()
      skipWhite()
      guard take("="), skipWhite() == (), at < bytes.count else { throw .malformed(offset: at) }
      let quote = bytes[at]
      guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
        let end = bytes[(at + 1)...].firstIndex(of: quote)
      else { throw .malformed(offset: at) }
      at = end + 1
    }
    throw .malformed(offset: at)
  }

  /// Characters up to the next tag, entities resolved.
  private mutating func text() throws(XMLElement.Failure) -> String {
    var text: [UInt8] = []
    while at < bytes.count, bytes[at] != UInt8(ascii: "<") {
      if bytes[at] == UInt8(ascii: "&") {
        text += try entity()
      } else {
        text.append(bytes[at])
        at += 1
      }
    }
    guard at < bytes.count else { throw .malformed(offset: at) }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func entity() throws(XMLElement.Failure) -> [UInt8] {
    let start = at
    guard let end = bytes[at...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { throw .malformed(offset: at) }
    let name = String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
    at = end + 1
    switch name {
    case "amp": return [UInt8(ascii: "&")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default:
      let code =
        name.hasPrefix("#x")
        ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
      guard let scalar = code.flatMap(Unicode.Scalar.init) else { throw .malformed(offset: start) }
      return Array(String(scalar).utf8)
    }
  }

  private func starts(with text: String) -> Bool { bytes[at...].starts(with: text.utf8) }

  private mutating func take(_ text: String) -> Bool {
    guard starts(with: text) else { return false }
    at += text.utf8.count
    return true
  }

  private mutating func skip(behind text: String) throws(XMLElement.Failure) {
    let start = at
    while at < bytes.count {
      if take(text) { return }
      at += 1
    }
    throw .malformed(offset: start)
  }

  private mutating func skipWhite() {
    while at < bytes.count, bytes[at] == 0x20 || (0x09...0x0d).contains(bytes[at]) { at += 1 }
  }
}
