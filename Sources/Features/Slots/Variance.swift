/// The sample variance from exact sums: Σx² and Σx do not cancel each other out, because nothing was rounded.
enum Variance {
  /// (n Σx² - (Σx)²) / (n (n - 1)): the numerator is exact. Nil of fewer than two values.
  static func sample(count: UInt64, sum: ExactTotal, squares: ExactTotal) -> ScaledDouble? {
    guard count > 1 else { return nil }
    if sum.nonfinite != nil || squares.nonfinite != nil { return ScaledDouble(significand: .nan, exponent: 0) }
    let exact = sum.withMagnitude { sums in
      squares.withMagnitude { numerator(count, sums, at: sum.position, $0, at: squares.position) }
    }
    return exact.divided(by: Double(count) * Double(count - 1))
  }

  private static func numerator(
    _ count: UInt64, _ sum: borrowing Span<UInt64>, at sumPosition: Int, _ squares: borrowing Span<UInt64>,
    at squaresPosition: Int
  ) -> ScaledDouble {
    // Products of limbs at two positions lie at the sum of their distances from the unit.
    let base = 2 * sumPosition - LimbFormat.unitPosition
    let first = min(base, squaresPosition)
    // A carry of the last product goes one limb further.
    let end = max(base + 2 * sum.count, squaresPosition + squares.count + 1) + 1
    if first >= 0, end - first <= Narrow.count {
      var (narrow, square) = (Narrow(repeating: 0), Narrow(repeating: 0))
      var left = narrow.mutableSpan
      var right = square.mutableSpan
      subtract(count, sum, at: base - first, squares, at: squaresPosition - first, &left, &right)
      return ScaledDouble(magnitude: left.span, position: first, isNegative: false)
    }
    var (wide, square) = (Wide(repeating: 0), Wide(repeating: 0))
    var left = wide.mutableSpan
    var right = square.mutableSpan
    subtract(count, sum, at: base, squares, at: squaresPosition, &left, &right)
    return ScaledDouble(magnitude: left.span, position: 0, isNegative: false)
  }

  /// Enough for sums that never left their slots, as nearly all are.
  private typealias Narrow = InlineArray<16, UInt64>
  /// Positions 0 up to its end hold n Σx² and (Σx)².
  private typealias Wide = InlineArray<80, UInt64>

  /// Leaves n Σx² - (Σx)² in `numerator`.
  private static func subtract(
    _ count: UInt64, _ sum: borrowing Span<UInt64>, at base: Int, _ squares: borrowing Span<UInt64>,
    at squaresPosition: Int, _ numerator: inout MutableSpan<UInt64>, _ square: inout MutableSpan<UInt64>
  ) {
    for limb in squares.indices where squares[limb] != 0 {
      add(squares[limb], times: count, at: squaresPosition + limb, to: &numerator)
    }
    for one in sum.indices where sum[one] != 0 {
      for two in sum.indices where sum[two] != 0 {
        add(sum[one], times: sum[two], at: base + one + two, to: &square)
      }
    }
    var borrow: UInt64 = 0
    for limb in numerator.indices {
      let (difference, first) = numerator[limb].subtractingReportingOverflow(square[limb])
      let (rest, second) = difference.subtractingReportingOverflow(borrow)
      numerator[limb] = rest
      borrow = first || second ? 1 : 0
    }
  }

  private static func add(
    _ left: UInt64, times right: UInt64, at position: Int, to limbs: inout MutableSpan<UInt64>
  ) {
    guard position >= 0, position + 1 < limbs.count else { return }
    let product = left.multipliedFullWidth(by: right)
    var carry = product.high
    let (low, overflow) = limbs[position].addingReportingOverflow(product.low)
    limbs[position] = low
    // The high half of a product is at most 2^64 - 2.
    if overflow { carry &+= 1 }
    var limb = position + 1
    while carry != 0, limb < limbs.count {
      let (sum, overflow) = limbs[limb].addingReportingOverflow(carry)
      limbs[limb] = sum
      carry = overflow ? 1 : 0
      limb += 1
    }
  }
}
