/// The correctly rounded sum of doubles, the slow way: digits of base 2^32 without carries, then long-hand rounding.
struct ExactSumOracle {
  /// Digit k weighs 2^(32 k - 1088).
  private var digits = [Int64](repeating: 0, count: 74)

  mutating func add(_ value: Double) {
    guard value != 0 else { return }
    let fraction = value.bitPattern & 0xf_ffff_ffff_ffff
    let field = Int(value.bitPattern >> 52 & 0x7ff)
    var mantissa = UInt128(field == 0 ? fraction : fraction | 1 << 52)
    let place = max(field, 1) - 1075 + 1088
    mantissa <<= UInt128(place % 32)
    for step in 0..<3 {
      let digit = Int64(truncatingIfNeeded: mantissa >> UInt128(32 * step)) & 0xffff_ffff
      digits[place / 32 + step] += value < 0 ? -digit : digit
    }
  }

  var rounded: Double {
    let (magnitude, isNegative) = normalised()
    // Bits from the top: 53 of them, then the half, then whether anything follows.
    var bits: [Bool] = []
    for digit in magnitude.reversed() { for bit in (0..<32).reversed() { bits.append(digit >> Int64(bit) & 1 == 1) } }
    guard let top = bits.firstIndex(of: true) else { return 0 }
    var exponent = 32 * magnitude.count - 1088 - 1 - top
    // A subnormal has fewer bits.
    let precision = min(53, exponent + 1075)
    var significand: UInt64 = 0
    for index in 0..<precision {
      significand = significand << 1 | (top + index < bits.count && bits[top + index] ? 1 : 0)
    }
    let half = top + precision < bits.count && bits[top + precision]
    let rest = bits.dropFirst(top + precision + 1).contains(true)
    if half, rest || significand & 1 == 1 { significand += 1 }
    exponent -= precision - 1
    let result = Double(sign: .plus, exponent: exponent, significand: Double(significand))
    return isNegative ? -result : result
  }

  private func normalised() -> (magnitude: [Int64], isNegative: Bool) {
    for sign in [1, -1] as [Int64] {
      var carry: Int64 = 0
      var result = digits.map { digit in
        let sum = digit * sign + carry
        carry = sum >> 32
        return sum & 0xffff_ffff
      }
      for _ in 0..<2 {
        result.append(carry & 0xffff_ffff)
        carry >>= 32
      }
      if carry == 0 { return (result, sign < 0) }
    }
    return ([], false)
  }
}
