/// The text of UUIDs (RFC 9562).
enum UUIDText {
  /// 8-4-4-4-12 hexadecimal digits; letters of both cases.
  static func isValid(_ text: Span<UInt8>) -> Bool {
    guard text.count == 36 else { return false }
    for index in text.indices {
      let byte = text[index]
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return false }
      } else {
        let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
        guard isDigit else { return false }
      }
    }
    return true
  }

  /// - Parameter bytes: 16.
  static func text(of bytes: Span<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for index in bytes.indices {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text += [digits[Int(bytes[index] >> 4)], digits[Int(bytes[index] & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
