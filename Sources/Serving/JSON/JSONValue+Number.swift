internal import Contracts
internal import Glibc

extension JSONValue {
  /// The double that is nearest to a number that the scanner has taken; nil for what is no number.
  ///
  /// Nothing is allocated.
  func double(in text: Span<UInt8>) -> Double? {
    guard kind == .integer || kind == .decimal else { return nil }
    return Self.exact(bytes(in: text)) ?? parsed(in: text)
  }

  /// Up to 15 digits and 22 powers of ten are exact doubles, so that one operation rounds once (Clinger: How to Read
  /// Floating Point Numbers Accurately, 1990). Nil beyond.
  private static func exact(_ digits: Span<UInt8>) -> Double? {
    var (mantissa, digitCount, at, fractionDigits) = (UInt64(0), 0, 0, 0)
    let isNegative = digits[0] == UInt8(ascii: "-")
    if isNegative { at = 1 }
    var isFraction = false
    while at < digits.count {
      let byte = digits[at]
      at += 1
      if byte == UInt8(ascii: ".") {
        isFraction = true
      } else if byte &- UInt8(ascii: "0") < 10 {
        digitCount += mantissa == 0 && byte == UInt8(ascii: "0") ? 0 : 1
        guard digitCount <= 15 else { return nil }
        mantissa = mantissa * 10 + UInt64(byte &- UInt8(ascii: "0"))
        if isFraction { fractionDigits += 1 }
      } else {
        return nil
      }
    }
    guard fractionDigits <= 22 else { return nil }
    let magnitude = Double(mantissa) / powersOfTen[fractionDigits]
    return isNegative ? -magnitude : magnitude
  }

  private static let powersOfTen: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// The C library's conversion, on a copy that ends with a zero; long numbers, which nobody writes, take the slow way.
  private func parsed(in text: Span<UInt8>) -> Double? {
    let digits = bytes(in: text)
    guard digits.count < 64 else {
      return unsafe digits.withUnsafeBufferPointer { unsafe Double(String(decoding: $0, as: UTF8.self)) }
    }
    var copy = InlineArray<64, UInt8>(repeating: 0)
    for index in digits.indices { copy[index] = digits[index] }
    return unsafe copy.span.withUnsafeBytes { bytes in
      unsafe bytes.baseAddress.map { unsafe strtod($0.assumingMemoryBound(to: CChar.self), nil) }
    }
  }
}
