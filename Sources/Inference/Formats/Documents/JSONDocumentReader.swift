internal import Core

/// Reads JSON (RFC 8259) into a document. NaN and Infinity are let through, as XGBoost writes them.
///
/// What is built is bounded by the input: a value takes at least a byte of it. Depth is bounded.
struct JSONDocumentReader {
  private let bytes: [UInt8]
  private var position = 0
  /// Numbers with a point or an exponent are rounded to float32, once.
  private let roundsToSingle: Bool

  private static let depthMax = 64

  init(_ bytes: [UInt8], roundsToSingle: Bool) {
    self.bytes = bytes
    self.roundsToSingle = roundsToSingle
  }

  static func read(_ bytes: [UInt8], roundsToSingle: Bool) throws(HeadraceError) -> Document {
    var reader = JSONDocumentReader(bytes, roundsToSingle: roundsToSingle)
    let document = try reader.value(depth: 0)
    reader.skipWhite()
    guard reader.position == bytes.count else { throw reader.fault("more after the document") }
    return document
  }

  private func fault(_ message: String) -> HeadraceError {
    ModelFault.unreadable("JSON: \(message)", place: "byte \(position)")
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhite() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  /// Takes this byte when it is next, after white space.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipWhite()
    guard next == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(HeadraceError) -> Document {
    guard depth < Self.depthMax else { throw fault("deeper than \(Self.depthMax)") }
    skipWhite()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .text(try text())
    case nil: throw fault("ends where a value is expected")
    default: return try word()
    }
  }

  private mutating func object(depth: Int) throws(HeadraceError) -> Document {
    position += 1
    var members: [String: Document] = [:]
    if take("}") { return .object(members) }
    repeat {
      skipWhite()
      guard next == UInt8(ascii: "\"") else { throw fault("expected a name") }
      let name = try text()
      guard take(":") else { throw fault("expected a colon") }
      guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
        throw fault("the name \(name) is there twice")
      }
    } while take(",")
    guard take("}") else { throw fault("expected a comma or the end of an object") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(HeadraceError) -> Document {
    position += 1
    var items = DocumentItems()
    if take("]") { return items.document }
    repeat { items.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw fault("expected a comma or the end of an array") }
    return items.document
  }

  /// A number or a literal.
  private mutating func word() throws(HeadraceError) -> Document {
    let start = position
    while let byte = next, byte > 0x20, byte != UInt8(ascii: ","), byte != UInt8(ascii: "]"), byte != UInt8(ascii: "}"),
      byte != UInt8(ascii: ":")
    {
      position += 1
    }
    let text = bytes[start..<position]
    if let number = roundsToSingle ? NumberText.single(text) : NumberText.double(text) { return .number(number) }
    if text.elementsEqual("true".utf8) { return .boolean(true) }
    if text.elementsEqual("false".utf8) { return .boolean(false) }
    if text.elementsEqual("null".utf8) { return .null }
    position = start
    throw fault("expected a value")
  }

  private mutating func text() throws(HeadraceError) -> String {
    position += 1
    let start = position
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    if next == UInt8(ascii: "\"") {
      defer { position += 1 }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }
    var unescaped = Array(bytes[start..<position])
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("a control character in a string") }
      position += 1
      if byte == UInt8(ascii: "\\") { try escape(into: &unescaped) } else { unescaped.append(byte) }
    }
    guard next != nil else { throw fault("a string that does not end") }
    position += 1
    return String(decoding: unescaped, as: UTF8.self)
  }

  private mutating func escape(into text: inout [UInt8]) throws(HeadraceError) {
    guard let kind = next else { throw fault("ends in an escape") }
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      if unit >= 0xd800, unit < 0xdc00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexadecimal()
        if low >= 0xdc00, low < 0xe000 { unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00) }
      }
      text.append(contentsOf: String(Unicode.Scalar(unit) ?? "\u{fffd}").utf8)
    default: throw fault("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(HeadraceError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw fault("ends in an escape") }
    let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
    guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let value = UInt32(digits, radix: 16)
    else { throw fault("four hexadecimal digits expected") }
    position += 4
    return value
  }
}

/// An array while it is read: numbers as long as there is nothing else.
struct DocumentItems {
  private var numbers: [Double] = []
  private var others: [Document]?

  mutating func append(_ item: Document) {
    if others == nil, case .number(let number) = item {
      numbers.append(number)
      return
    }
    var list = others ?? numbers.map(Document.number)
    others = nil
    list.append(item)
    others = list
  }

  var document: Document { others.map(Document.list) ?? .numbers(numbers) }
}
