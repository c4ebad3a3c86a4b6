/// The numbers of JSON (RFC 8259, section 6).
package enum JSONNumber {
  /// Whether the bytes are exactly one number: `-12.5e3`; not `+1`, `.5`, `01`, `1.`, `NaN`.
  package static func isValid(_ text: Span<UInt8>) -> Bool {
    var at = 0
    if at < text.count && text[at] == UInt8(ascii: "-") { at += 1 }
    let integer = at
    guard skipDigits(text, &at), text[integer] != UInt8(ascii: "0") || at - integer == 1 else { return false }
    if at < text.count && text[at] == UInt8(ascii: ".") {
      at += 1
      guard skipDigits(text, &at) else { return false }
    }
    if at < text.count && text[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < text.count && (text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-")) { at += 1 }
      guard skipDigits(text, &at) else { return false }
    }
    return at == text.count
  }

  private static func skipDigits(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
    let start = at
    while at < text.count && text[at] &- UInt8(ascii: "0") < 10 { at += 1 }
    return at > start
  }
}

extension JSONNumber {
  /// A number's value as an integer, however it is written (`12`, `12.0`, `1.2e1`); nil when it has a fraction or does
  /// not fit.
  package static func integer(_ text: String) -> Int64? {
    decimal(text, scale: 0).flatMap { Int64(exactly: $0) }
  }

  /// A number as an unscaled integer of `scale` digits behind the point; nil when it needs more of them, or more than
  /// 38 digits.
  package static func decimal(_ text: String, scale: Int) -> Int128? { decimal(Array(text.utf8).span, scale: scale) }

  package static func decimal(_ text: Span<UInt8>, scale: Int) -> Int128? {
    guard isValid(text) else { return nil }
    var (digits, exponent, at) = (Int128(0), Int64(scale), 0)
    // Trailing zeros wait until a digit follows: `1.000…0` is 1, however many there are.
    var (zeros, isFraction) = (0, false)
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative { at = 1 }
    while at < text.count, text[at] | 0x20 != UInt8(ascii: "e") {
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: ".") {
        isFraction = true
        continue
      }
      if isFraction { exponent -= 1 }
      guard byte != UInt8(ascii: "0") else {
        if digits != 0 { zeros += 1 }
        continue
      }
      guard let shifted = shift(digits, by: Int64(zeros) + 1) else { return nil }
      (digits, zeros) = (shifted + Int128(byte - UInt8(ascii: "0")), 0)
    }
    if at < text.count { exponent += writtenExponent(text, from: at + 1) }
    guard digits != 0 else { return 0 }
    guard let value = shift(digits, by: exponent + Int64(zeros)) else { return nil }
    return isNegative ? -value : value
  }

  /// Whether a number has no fraction, however large it is and however it is written.
  package static func isIntegral(_ text: Span<UInt8>) -> Bool {
    var (point, lastDigit, exponentAt) = (text.count, 0, text.count)
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "."): point = index
      case UInt8(ascii: "e"), UInt8(ascii: "E"): exponentAt = index
      case UInt8(ascii: "1")...UInt8(ascii: "9") where exponentAt == text.count: lastDigit = index
      default: break
      }
    }
    point = min(point, exponentAt)
    let exponent = exponentAt < text.count ? writtenExponent(text, from: exponentAt + 1) : 0
    // The last digit's power of ten is at least one.
    let power = lastDigit < point ? Int64(point - 1 - lastDigit) : Int64(point - lastDigit)
    return power + exponent >= 0
  }

  /// Saturates far beyond what matters.
  private static func writtenExponent(_ text: Span<UInt8>, from start: Int) -> Int64 {
    var (value, at) = (Int64(0), start)
    let isNegative = text[at] == UInt8(ascii: "-")
    if isNegative || text[at] == UInt8(ascii: "+") { at += 1 }
    while at < text.count {
      if value < 1_000_000_000 { value = value * 10 + Int64(text[at] - UInt8(ascii: "0")) }
      at += 1
    }
    return isNegative ? -value : value
  }

  /// `value` times ten to the power of `exponent`, exactly and below 10^38; nil otherwise.
  package static func shift(_ value: Int128, by exponent: Int64) -> Int128? {
    var (result, rest) = (value, exponent)
    let limit: Int128 = 10_000_000_000_000_000_000 * 10_000_000_000_000_000_000
    while rest > 0 {
      guard result < limit / 10, rest <= 38 else { return nil }
      result *= 10
      rest -= 1
    }
    while rest < 0 {
      guard result % 10 == 0, result != 0 else { return nil }
      result /= 10
      rest += 1
    }
    return result < limit ? result : nil
  }
}
