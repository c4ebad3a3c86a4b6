/// Decimals as text: digits, a point, no exponent.
enum DecimalText {
  /// At most 38 digits; nil for anything else.
  static func parse(_ text: String) -> (unscaled: Int128, scale: Int)? {
    var text = text
    return text.withUTF8 { unsafe parse(bytes: $0) }
  }

  static func parse(bytes: UnsafeBufferPointer<UInt8>) -> (unscaled: Int128, scale: Int)? {
    var magnitude: Int128 = 0
    var digits = 0
    var scale: Int?
    var isNegative = false
    for index in bytes.indices {
      let byte = unsafe bytes[index]
      switch byte {
      case UInt8(ascii: "-") where index == 0: isNegative = true
      case UInt8(ascii: "+") where index == 0: break
      case Ascii.point where scale == nil: scale = 0
      case 0x30...0x39:
        if magnitude != 0 || byte != 0x30 { digits += 1 }
        guard digits <= DecimalLimits.precisionMax else { return nil }
        magnitude = magnitude * 10 + Int128(byte - 0x30)
        if let point = scale { scale = point + 1 }
      default: return nil
      }
    }
    guard unsafe bytes.contains(where: Ascii.isDigit), scale ?? 0 <= DecimalLimits.precisionMax else { return nil }
    return (isNegative ? -magnitude : magnitude, scale ?? 0)
  }
}
