internal import Core

/// Reads Universal Binary JSON (draft 12) into a document: numbers are big-endian, containers may carry a type and a
/// count.
struct UBJSONDocumentReader {
  private let bytes: [UInt8]
  private var position = 0

  private static let depthMax = 64

  static func read(_ bytes: [UInt8]) throws(HeadraceError) -> Document {
    var reader = UBJSONDocumentReader(bytes: bytes)
    let marker = try reader.marker()
    let document = try reader.value(marker, depth: 0)
    guard reader.position == bytes.count else { throw reader.fault("more after the document") }
    return document
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func fault(_ message: String) -> HeadraceError {
    ModelFault.unreadable("UBJSON: \(message)", place: "byte \(position)")
  }

  private mutating func byte() throws(HeadraceError) -> UInt8 {
    guard position < bytes.count else { throw fault("ends in the middle of a value") }
    defer { position += 1 }
    return bytes[position]
  }

  /// The next marker; `N` is padding.
  private mutating func marker() throws(HeadraceError) -> Unicode.Scalar {
    var marker = try byte()
    while marker == UInt8(ascii: "N") { marker = try byte() }
    return Unicode.Scalar(marker)
  }

  private mutating func bigEndian(_ count: Int) throws(HeadraceError) -> UInt64 {
    guard count <= bytes.count - position else { throw fault("ends in the middle of a number") }
    var value: UInt64 = 0
    for index in position..<position + count { value = value << 8 | UInt64(bytes[index]) }
    position += count
    return value
  }

  /// Bytes of one number of a type; nil when the type is none.
  private static func sizeBytes(_ marker: Unicode.Scalar) -> Int? {
    switch marker {
    case "i", "U": 1
    case "I": 2
    case "l", "d": 4
    case "L", "D": 8
    default: nil
    }
  }

  private mutating func number(_ marker: Unicode.Scalar, sizeBytes: Int) throws(HeadraceError) -> Double {
    let bits = try bigEndian(sizeBytes)
    return switch marker {
    case "i": Double(Int8(truncatingIfNeeded: bits))
    case "U": Double(bits)
    case "I": Double(Int16(truncatingIfNeeded: bits))
    case "l": Double(Int32(truncatingIfNeeded: bits))
    case "L": Double(Int64(truncatingIfNeeded: bits))
    case "d": Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    default: Double(bitPattern: bits)
    }
  }

  /// A length or a count: an integer that the rest of the input can hold.
  private mutating func count() throws(HeadraceError) -> Int {
    let marker = try marker()
    guard marker != "d", marker != "D", let size = Self.sizeBytes(marker) else { throw fault("a length was expected") }
    let number = try number(marker, sizeBytes: size)
    guard number >= 0, number <= Double(bytes.count - position) else {
      throw fault("the length \(number), \(bytes.count - position) bytes are left")
    }
    return Int(number)
  }

  private mutating func text() throws(HeadraceError) -> String {
    let length = try count()
    guard length <= bytes.count - position else { throw fault("a string of \(length) bytes") }
    defer { position += length }
    return String(decoding: bytes[position..<position + length], as: UTF8.self)
  }

  private mutating func value(_ marker: Unicode.Scalar, depth: Int) throws(HeadraceError) -> Document {
    guard depth < Self.depthMax else { throw fault("deeper than \(Self.depthMax)") }
    if let size = Self.sizeBytes(marker) { return .number(try number(marker, sizeBytes: size)) }
    switch marker {
    case "Z": return .null
    case "T": return .boolean(true)
    case "F": return .boolean(false)
    case "C": return .text(String(decoding: [try byte()], as: UTF8.self))
    case "S", "H": return .text(try text())
    case "[": return try array(depth: depth)
    case "{": return try object(depth: depth)
    default: throw fault("an unknown marker \(marker.escaped(asASCII: true))")
    }
  }

  /// The optional `$` type and `#` count of a container.
  private mutating func header() throws(HeadraceError) -> (type: Unicode.Scalar?, count: Int?) {
    var type: Unicode.Scalar?
    if position < bytes.count, bytes[position] == UInt8(ascii: "$") {
      position += 1
      type = Unicode.Scalar(try byte())
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: "#") {
      position += 1
      return (type, try count())
    }
    guard type == nil else { throw fault("a typed container without a count") }
    return (nil, nil)
  }

  private mutating func array(depth: Int) throws(HeadraceError) -> Document {
    let (type, count) = try header()
    if let type, let size = Self.sizeBytes(type), let count {
      guard count <= (bytes.count - position) / size else { throw fault("an array of \(count) numbers") }
      var numbers: [Double] = []
      numbers.reserveCapacity(count)
      for _ in 0..<count { numbers.append(try number(type, sizeBytes: size)) }
      return .numbers(numbers)
    }
    var items = DocumentItems()
    if let count {
      for _ in 0..<count {
        // A type without payload would let a few bytes stand for many values.
        if let type, "ZTF".unicodeScalars.contains(type) { throw fault("an array of literals") }
        let marker = if let type { type } else { try marker() }
        items.append(try value(marker, depth: depth + 1))
      }
      return items.document
    }
    while true {
      let marker = try marker()
      if marker == "]" { return items.document }
      items.append(try value(marker, depth: depth + 1))
    }
  }

  private mutating func object(depth: Int) throws(HeadraceError) -> Document {
    let (type, count) = try header()
    guard type == nil else { throw fault("an object with one type for all") }
    var members: [String: Document] = [:]
    var remaining = count
    while remaining != 0 {
      if remaining == nil, position < bytes.count, bytes[position] == UInt8(ascii: "}") {
        position += 1
        break
      }
      let name = try text()
      let marker = try marker()
      guard members.updateValue(try value(marker, depth: depth + 1), forKey: name) == nil else {
        throw fault("the name \(name) is there twice")
      }
      remaining = remaining.map { $0 - 1 }
    }
    return .object(members)
  }
}
