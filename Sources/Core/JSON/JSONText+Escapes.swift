extension JSONText {
  /// Appends the text of what lies between the quotes of an escaped string; a lone surrogate becomes U+FFFD.
  ///
  /// What is no escape of JSON stays as it is.
  package static func unescape(_ bytes: Span<UInt8>, into text: inout [UInt8]) {
    text.reserveCapacity(text.count + bytes.count)
    var (at, runStart) = (0, 0)
    while at < bytes.count {
      let count = bytes[at] == UInt8(ascii: "\\") ? escapeByteCount(bytes, at: at) : 0
      guard count > 0 else {
        at += 1
        continue
      }
      append(bytes.extracting(runStart..<at), to: &text)
      if count == 6 {
        append(unicodeEscape(bytes, &at), to: &text)
      } else {
        text.append(character(of: bytes[at + 1]))
        at += 2
      }
      runStart = at
    }
    append(bytes.extracting(runStart..<bytes.count), to: &text)
  }

  /// Length of the escape at a backslash: 2, or 6 for `\uXXXX`; 0 when it is none.
  static func escapeByteCount(_ bytes: Span<UInt8>, at: Int) -> Int {
    guard at + 1 < bytes.count else { return 0 }
    switch bytes[at + 1] {
    case UInt8(ascii: "u"): return codeUnit(bytes, at: at + 2) == nil ? 0 : 6
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    default: return 0
    }
  }

  private static func character(of letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  /// Four hexadecimal digits.
  private static func codeUnit(_ bytes: Span<UInt8>, at: Int) -> UInt32? {
    guard at + 4 <= bytes.count else { return nil }
    var unit: UInt32 = 0
    for index in at..<(at + 4) {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    return unit
  }

  /// One `\uXXXX`, or a surrogate pair of two; `at` goes behind it.
  private static func unicodeEscape(_ bytes: Span<UInt8>, _ at: inout Int) -> Unicode.Scalar {
    let replacement: Unicode.Scalar = "\u{fffd}"
    guard let unit = codeUnit(bytes, at: at + 2) else { return replacement }
    at += 6
    guard 0xd800...0xdfff ~= unit else { return Unicode.Scalar(unit) ?? replacement }
    guard unit < 0xdc00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u"),
      let low = codeUnit(bytes, at: at + 2), 0xdc00...0xdfff ~= low
    else { return replacement }
    at += 6
    return Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)) ?? replacement
  }

  private static func append(_ scalar: Unicode.Scalar, to text: inout [UInt8]) {
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }
}
