/// Decimal numbers as libraries print them, without a locale, rounded correctly.
enum NumberText {
  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// A decimal number, its digits and exponent taken apart.
  private struct Parts {
    var isNegative = false
    var digits: UInt64 = 0
    var digitCount = 0
    var exponent = 0
    var isInteger = true
  }

  /// The number that `text` is, or nil when it is none. `inf`, `infinity` and `nan` count in any case.
  static func double(_ text: ArraySlice<UInt8>) -> Double? {
    guard let parts = parts(text) else { return special(text) }
    if parts.digitCount <= 19, parts.digits < 1 << 53, abs(parts.exponent) < powersOfTen.count {
      // Both are exact, so that one operation rounds once.
      let magnitude =
        parts.exponent < 0
        ? Double(parts.digits) / powersOfTen[-parts.exponent] : Double(parts.digits) * powersOfTen[parts.exponent]
      return parts.isNegative ? -magnitude : magnitude
    }
    return Double(String(decoding: text, as: UTF8.self))
  }

  /// The same rounded to the nearest float, once; an integer stays as it is.
  static func single(_ text: ArraySlice<UInt8>) -> Double? {
    guard let parts = parts(text) else { return special(text) }
    guard let wide = double(text) else { return nil }
    if parts.isInteger { return wide }
    // Rounding twice is wrong only where the double lies exactly between two floats.
    let isTie = wide.bitPattern & 0x1fff_ffff == 0x1000_0000 || wide.magnitude < 0x1p-126
    return isTie ? Float(String(decoding: text, as: UTF8.self)).map(Double.init) : Double(Float(wide))
  }

  private static func parts(_ text: ArraySlice<UInt8>) -> Parts? {
    var parts = Parts()
    var rest = text
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      parts.isNegative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    let start = rest.startIndex
    var pointAt: Int?
    var index = start
    scan: while index < rest.endIndex {
      switch rest[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let isLeadingZero = parts.digits == 0 && rest[index] == UInt8(ascii: "0")
        if !isLeadingZero { parts.digitCount += 1 }
        parts.digits = parts.digits &* 10 &+ UInt64(rest[index] &- UInt8(ascii: "0"))
      case UInt8(ascii: "."):
        guard pointAt == nil else { return nil }
        pointAt = index
      default: break scan
      }
      index += 1
    }
    let digits = index - start - (pointAt == nil ? 0 : 1)
    guard digits > 0 else { return nil }
    if let pointAt {
      parts.exponent = -(index - pointAt - 1)
      parts.isInteger = false
    }
    guard index < rest.endIndex else { return parts }
    guard rest[index] | 0x20 == UInt8(ascii: "e") else { return nil }
    parts.isInteger = false
    guard let exponent = exponent(rest[(index + 1)...]) else { return nil }
    parts.exponent += exponent
    return parts
  }

  private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
    var rest = text
    var isNegative = false
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    guard !rest.isEmpty, rest.count <= 18 else { return nil }
    var value = 0
    for byte in rest {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1 << 20)
    }
    return isNegative ? -value : value
  }

  private static func special(_ text: ArraySlice<UInt8>) -> Double? {
    guard text.count <= 9 else { return nil }
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    case "nan", "-nan", "+nan": return .nan
    default: return nil
    }
  }
}
