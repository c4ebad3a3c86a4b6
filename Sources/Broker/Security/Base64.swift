/// Base64 with padding (RFC 4648 section 4) and its URL form (section 5), as SCRAM and JSON Web Tokens write bytes.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static let values: [UInt8: UInt32] = {
    var values: [UInt8: UInt32] = [:]
    for (value, character) in alphabet.enumerated() { values[character] = UInt32(value) }
    values[UInt8(ascii: "-")] = 62
    values[UInt8(ascii: "_")] = 63
    return values
  }()

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let chunk = bytes[start..<min(start + 3, bytes.count)]
      let word = chunk.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32(16 - 8 * $1.offset) }
      for position in 0..<4 {
        let character = alphabet[Int(word >> UInt32(18 - 6 * position)) & 63]
        text.append(position <= chunk.count ? character : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Bytes of either form, padded or not; nil when a character is in neither alphabet.
  static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var word: UInt32 = 0
    var bits = 0
    for character in text where character != UInt8(ascii: "=") {
      guard let value = values[character] else { return nil }
      word = (word << 6 | value) & 0xffffff
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
      }
    }
    return bytes
  }
}
