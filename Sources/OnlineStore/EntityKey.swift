package import Columns
internal import Core

/// The join keys of one entity as bytes: what its rows are found by, in memory and on the disk.
///
/// One part is its text: a string's UTF-8, bytes as they are, a number in decimal. These are the bytes of a Kafka key.
/// Of several parts each has its length (LEB128) in front of it, so that `ab, c` and `a, bc` differ.
package struct EntityKey: Hashable, Sendable {
  package private(set) var bytes: [UInt8]
  /// What is larger is no name of a thing: rows are not kept under it.
  package static let bytesMaximum = 64 << 10
  /// `Hash64` of the bytes.
  package private(set) var hash: UInt64

  package init(bytes: [UInt8]) {
    self.bytes = bytes
    hash = unsafe Hash64.hash(bytes.span.bytes)
  }

  /// - Returns: nil when a part is null: there is no such entity.
  package static func encode(_ parts: [Value]) -> EntityKey? {
    var key = EntityKey(bytes: [])
    return key.replace(partCount: parts.count) { parts[$0] } ? key : nil
  }

  /// Becomes one of the keys of a batch, in the memory that it has.
  package mutating func replace(row: Int, of keys: borrowing EntityKeys) {
    bytes.removeAll(keepingCapacity: true)
    unsafe keys.text[row].withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    hash = keys.hashes[row]
  }

  /// Becomes the key of other parts, in the memory that it has: for who looks up one key after the other.
  ///
  /// - Returns: false when a part is null: there is no such entity, and the key is none.
  package mutating func replace(partCount: Int, _ part: (Int) -> Value) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    for index in 0..<partCount {
      let start = bytes.count
      guard bytes.appendKeyText(part(index)) else { return false }
      if partCount > 1 { bytes.insertLength(at: start) }
    }
    hash = unsafe Hash64.hash(bytes.span.bytes)
    return true
  }
}

extension Column {
  /// Appends one part of a key, as `EntityKey` writes it, as a value of this column's type; null if it is none.
  fileprivate mutating func append(keyPart bytes: RawSpan) {
    switch type {
    case .string, .bytes: append(bytes)
    case .boolean: append(bytes.byteCount == 4)
    default:
      let text = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
      if type.storage == .integers, let number = Int64(text) { append(number) } else { appendNull() }
    }
  }
}

extension ColumnBatch {
  /// Takes keys apart: appends the parts of each to the first columns.
  ///
  /// - Parameter partCount: join keys of the entity; as many columns have their types.
  package mutating func append(parts partCount: Int, of keys: borrowing EntityKeys, _ range: Range<Int>) {
    for row in range {
      let key = keys.text[row]
      guard partCount > 1 else {
        columns[0].append(keyPart: key)
        continue
      }
      var start = 0
      for part in 0..<partCount {
        let length = key.length(at: &start)
        let end = min(start + length, key.byteCount)
        columns[part].append(keyPart: key.extracting(min(start, end)..<end))
        start = end
      }
    }
  }
}

extension RawSpan {
  /// Reads a LEB128 length and steps over it; 0 behind the end.
  fileprivate func length(at offset: inout Int) -> Int {
    var length: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 35, by: 7) {
      guard offset < byteCount else { return 0 }
      let byte = unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      length |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { break }
    }
    return Int(clamping: length)
  }
}

/// Texts of the rarer types of keys.
enum KeyText {
  /// The shortest decimal that reads back as the same number; both zeros are one key.
  static func double(_ value: Double) -> String { value == 0 ? "0.0" : value.description }

  static func decimal(_ unscaled: Int128, scale: Int) -> String { "\(unscaled)e-\(scale)" }
}

extension [UInt8] {
  /// Appends the text of a part of a key.
  ///
  /// - Returns: false of null and of lists, which are no keys.
  fileprivate mutating func appendKeyText(_ part: Value) -> Bool {
    switch part {
    case .null, .list: return false
    case .boolean(let value): append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value), .timestamp(let value), .date(let value): appendDecimal(value)
    case .double(let value): append(contentsOf: KeyText.double(value).utf8)
    case .string(let value): append(contentsOf: value.utf8)
    case .bytes(let value): append(contentsOf: value)
    case .decimal(let unscaled, let scale): append(contentsOf: KeyText.decimal(unscaled, scale: scale).utf8)
    }
    return true
  }

  mutating func appendDecimal(_ value: Int64) {
    if value < 0 { append(0x2d) }
    let start = count
    var rest = value.magnitude
    repeat {
      append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }

  /// LEB128.
  mutating func appendLength(_ length: Int) { insertLength(length, at: count) }

  fileprivate mutating func insertLength(_ length: Int, at start: Int) {
    var rest = UInt64(clamping: length)
    var position = start
    while rest >= 0x80 {
      insert(UInt8(truncatingIfNeeded: rest) | 0x80, at: position)
      position += 1
      rest >>= 7
    }
    insert(UInt8(truncatingIfNeeded: rest), at: position)
  }

  /// Puts the length of what follows `start` in front of it.
  mutating func insertLength(at start: Int) { insertLength(count - start, at: start) }
}
