/// A double with an exponent of its own, which cannot overflow.
struct ScaledDouble {
  var significand: Double
  var exponent: Int

  init(significand: Double, exponent: Int) {
    self.significand = significand
    self.exponent = exponent
  }

  /// Rounds a fixed-point number once, to nearest, ties to even.
  ///
  /// - Parameter position: of the first limb.
  init(magnitude: borrowing Span<UInt64>, position: Int, isNegative: Bool) {
    var top = magnitude.count - 1
    while top >= 0, magnitude[top] == 0 { top -= 1 }
    guard top >= 0 else {
      (significand, exponent) = (0, 0)
      return
    }
    let shift = magnitude[top].leadingZeroBitCount
    let next = top > 0 ? magnitude[top - 1] : 0
    var leading = magnitude[top] << UInt64(shift) | (next >> 1) >> UInt64(63 - shift)
    // Everything below only matters as "not zero": the conversion of 64 bits to 53 rounds.
    var rest = next << UInt64(shift)
    for limb in 0..<max(top - 1, 0) { rest |= magnitude[limb] }
    if rest != 0 { leading |= 1 }
    significand = isNegative ? -Double(leading) : Double(leading)
    exponent = 64 * (position + top - LimbFormat.unitPosition) - shift
  }

  func divided(by divisor: Double) -> ScaledDouble {
    ScaledDouble(significand: significand / divisor, exponent: exponent)
  }

  var squareRoot: ScaledDouble {
    let isOdd = exponent & 1 != 0
    let even = isOdd ? significand * 2 : significand
    return ScaledDouble(significand: even.squareRoot(), exponent: (isOdd ? exponent - 1 : exponent) / 2)
  }

  var value: Double { Double(sign: .plus, exponent: exponent, significand: significand) }
}
