package import Columns
internal import Core

/// The join keys of one entity as bytes: what its rows are found by, in memory and on the disk.
///
/// One part is its text: a string's UTF-8, bytes as they are, a number in decimal. These are the bytes of a Kafka key.
/// Of several parts each has its length (LEB128) in front of it, so that `ab, c` and `a, bc` differ.
package struct EntityKey: Hashable, Sendable {
  package let bytes: [UInt8]
  /// What is larger is no name of a thing: rows are not kept under it.
  package static let bytesMaximum = 64 << 10
  /// `Hash64` of the bytes.
  package let hash: UInt64

  package init(bytes: [UInt8]) {
    self.bytes = bytes
    hash = unsafe Hash64.hash(bytes.span.bytes)
  }

  /// - Returns: nil when a part is null: there is no such entity.
  package static func encode(_ parts: [Value]) -> EntityKey? {
    var bytes: [UInt8] = []
    for part in parts {
      guard let text = part.keyText else { return nil }
      if parts.count > 1 { bytes.appendLength(text.count) }
      bytes.append(contentsOf: text)
    }
    return EntityKey(bytes: bytes)
  }
}

extension Value {
  /// The bytes of a part of a key; nil of null and of lists.
  fileprivate var keyText: [UInt8]? {
    switch self {
    case .null, .list: nil
    case .boolean(let value): Array((value ? "true" : "false").utf8)
    case .integer(let value), .timestamp(let value), .date(let value): Array(String(value).utf8)
    case .double(let value): Array(KeyText.double(value).utf8)
    case .string(let value): Array(value.utf8)
    case .bytes(let value): value
    case .decimal(let unscaled, let scale): Array(KeyText.decimal(unscaled, scale: scale).utf8)
    }
  }
}

/// Texts of the rarer types of keys.
enum KeyText {
  /// The shortest decimal that reads back as the same number; both zeros are one key.
  static func double(_ value: Double) -> String { value == 0 ? "0.0" : value.description }

  static func decimal(_ unscaled: Int128, scale: Int) -> String { "\(unscaled)e-\(scale)" }
}

extension [UInt8] {
  /// LEB128.
  mutating func appendLength(_ length: Int) {
    var rest = UInt64(clamping: length)
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}
