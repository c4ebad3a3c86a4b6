/// Arithmetic of unscaled decimals of at most 38 digits.
enum Decimal128 {
  /// 10^0 ... 10^38
  static let powers: [Int128] = (0..<DecimalLimits.precisionMax).reduce(into: [1]) { powers, index in
    powers.append(powers[index] * 10)
  }
  private static let limit = powers[DecimalLimits.precisionMax]

  static func fits(_ value: Int128, precision: Int = DecimalLimits.precisionMax) -> Bool {
    value.magnitude < powers[precision].magnitude
  }

  /// The same number at another scale, halves away from zero; nil when it has more than `precision` digits.
  static func rescale(_ value: Int128, from scale: Int, to target: Int, precision: Int) -> Int128? {
    let result: Int128
    if target >= scale {
      let (product, overflow) = value.multipliedReportingOverflow(by: powers[target - scale])
      guard !overflow else { return nil }
      result = product
    } else {
      result = roundedQuotient(value, by: powers[scale - target])
    }
    return fits(result, precision: precision) ? result : nil
  }

  /// Halves go away from zero. The divisor is positive.
  private static func roundedQuotient(_ value: Int128, by divisor: Int128) -> Int128 {
    let (quotient, remainder) = value.magnitude.quotientAndRemainder(dividingBy: divisor.magnitude)
    let rounded = Int128(remainder >= divisor.magnitude - remainder ? quotient + 1 : quotient)
    return value < 0 ? -rounded : rounded
  }

  /// The nearest double, ties to even.
  static func double(_ value: Int128, scale: Int) -> Double {
    let magnitude = value.magnitude
    // Both numbers are exact doubles: one division, rounded once.
    if magnitude <= 1 << 53, scale <= 22 {
      let quotient = Double(UInt64(magnitude)) / exactPowers[scale]
      return value < 0 ? -quotient : quotient
    }
    let rounded = divide(magnitude, by: powers[scale].magnitude)
    return value < 0 ? -rounded : rounded
  }

  static let exactPowers: [Double] = (0..<22).reduce(into: [1]) { powers, index in powers.append(powers[index] * 10) }

  /// The quotient to at least 63 bits, and whether anything is left, as its lowest bit: then one rounding is right.
  private static func divide(_ numerator: UInt128, by divisor: UInt128) -> Double {
    let numeratorBits = 128 - numerator.leadingZeroBitCount
    let divisorBits = 128 - divisor.leadingZeroBitCount
    let shift = divisorBits + 64 - numeratorBits
    let quotient: UInt128
    let isInexact: Bool
    if shift <= 0 {
      let (whole, rest) = numerator.quotientAndRemainder(dividingBy: divisor)
      (quotient, isInexact) = (whole, rest != 0)
      return Double(quotient | (isInexact ? 1 : 0))
    }
    let high = shift >= 128 ? numerator << UInt128(shift - 128) : numerator >> UInt128(128 - shift)
    let low = shift >= 128 ? 0 : numerator << UInt128(shift)
    let (whole, rest) = divisor.dividingFullWidth((high: high, low: low))
    return Double(whole | (rest != 0 ? 1 : 0)) * Double(sign: .plus, exponent: -shift, significand: 1)
  }
}
