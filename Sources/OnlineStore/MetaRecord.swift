internal import Rocks

/// Keys and values of the store's own records.
enum MetaRecord {
  /// Of everything that a store writes: keys, values, rows. A store of another one is not opened.
  static let formatVersion: UInt8 = 1

  static let formatKey = Array("format".utf8)
  static let checkpointKey = Array("checkpoint".utf8)
  static let nextNamespaceKey = Array("next-namespace".utf8)
  static let nextGroupKey = Array("next-group".utf8)
  static let namespacePrefix = Array("namespace/".utf8)
  static let viewCheckpointPrefix = Array("view-checkpoint/".utf8)
  static let groupPrefix = Array("dedupe/".utf8)

  static func key(_ prefix: [UInt8], _ id: UInt32) -> [UInt8] { prefix + bytes(id) }

  static func bytes(_ id: UInt32) -> [UInt8] { unsafe withUnsafeBytes(of: id.bigEndian) { unsafe Array($0) } }

  /// The keys that begin with a number, which counts up from 0: the last one has no successor.
  static func range(ofGroup id: UInt32) -> (start: [UInt8], end: [UInt8]) {
    (bytes(id), id == .max ? [0xff, 0xff, 0xff, 0xff, 0xff] : bytes(id + 1))
  }

  /// The number at the end of a key.
  static func id(of key: RawSpan, behind prefix: [UInt8]) -> UInt32? {
    guard key.byteCount == prefix.count + 4 else { return nil }
    return UInt32(bigEndian: unsafe key.unsafeLoadUnaligned(fromByteOffset: prefix.count, as: UInt32.self))
  }

  /// The first key behind all that begin with `prefix`.
  static func end(of prefix: [UInt8]) -> [UInt8] {
    var end = prefix
    while let last = end.popLast() {
      if last < 0xff { return end + [last + 1] }
    }
    return []
  }

  /// Texts with their lengths.
  static func encode(_ texts: [String], number: Int64 = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    for text in texts {
      bytes.appendLength(text.utf8.count)
      bytes.append(contentsOf: text.utf8)
    }
    return bytes
  }

  /// - Returns: nil when the bytes are not what `encode` made of so many texts.
  static func decode(_ bytes: [UInt8], textCount: Int) -> (texts: [String], number: Int64)? {
    guard bytes.count >= 8 else { return nil }
    let number = unsafe bytes.withUnsafeBytes { unsafe Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
    var rest = bytes[8...]
    var texts: [String] = []
    for _ in 0..<textCount {
      guard let length = rest.removeLength(), length <= rest.count else { return nil }
      texts.append(String(decoding: rest.prefix(length), as: UTF8.self))
      rest.removeFirst(length)
    }
    return rest.isEmpty ? (texts, number) : nil
  }
}

extension ArraySlice<UInt8> {
  /// Takes a LEB128 length off the start; nil when there is none.
  fileprivate mutating func removeLength() -> Int? {
    var length: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 35, by: 7) {
      guard let byte = popFirst() else { return nil }
      length |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return Int(exactly: length) }
    }
    return nil
  }
}
