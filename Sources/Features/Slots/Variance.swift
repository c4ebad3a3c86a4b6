/// The sample variance from exact sums: Σx² and Σx do not cancel each other out, because nothing was rounded.
enum Variance {
  /// Positions 0 up to here hold n Σx² and (Σx)².
  private static let limbCount = 80

  /// (n Σx² - (Σx)²) / (n (n - 1)): the numerator is exact. Nil of fewer than two values.
  static func sample(count: UInt64, sum: ExactTotal, squares: ExactTotal) -> ScaledDouble? {
    guard count > 1 else { return nil }
    if sum.nonfinite != nil || squares.nonfinite != nil { return ScaledDouble(significand: .nan, exponent: 0) }
    var numerator = InlineArray<80, UInt64>(repeating: 0)
    for limb in 0..<squares.count where squares.limbs[limb] != 0 {
      add(squares.limbs[limb], times: count, at: squares.position + limb, to: &numerator)
    }
    var square = InlineArray<80, UInt64>(repeating: 0)
    let magnitude = sum.isNegative ? sum.limbs.negated() : sum.limbs
    // Products of limbs at two positions lie at the sum of their distances from the unit.
    let base = 2 * sum.position - LimbFormat.unitPosition
    for one in 0..<sum.count where magnitude[one] != 0 {
      for two in 0..<sum.count where magnitude[two] != 0 {
        add(magnitude[one], times: magnitude[two], at: base + one + two, to: &square)
      }
    }
    var borrow: UInt64 = 0
    for limb in 0..<limbCount {
      let (difference, first) = numerator[limb].subtractingReportingOverflow(square[limb])
      let (rest, second) = difference.subtractingReportingOverflow(borrow)
      numerator[limb] = rest
      borrow = first || second ? 1 : 0
    }
    let exact = ScaledDouble(magnitude: numerator.span, position: 0, isNegative: false)
    return exact.divided(by: Double(count) * Double(count - 1))
  }

  private static func add(
    _ left: UInt64, times right: UInt64, at position: Int, to limbs: inout InlineArray<80, UInt64>
  ) {
    guard position >= 0, position + 1 < limbCount else { return }
    let product = left.multipliedFullWidth(by: right)
    var carry = product.high
    let (low, overflow) = limbs[position].addingReportingOverflow(product.low)
    limbs[position] = low
    // The high half of a product is at most 2^64 - 2.
    if overflow { carry &+= 1 }
    var limb = position + 1
    while carry != 0, limb < limbCount {
      let (sum, overflow) = limbs[limb].addingReportingOverflow(carry)
      limbs[limb] = sum
      carry = overflow ? 1 : 0
      limb += 1
    }
  }
}
