internal import Glibc

/// The upper tail of the chi-squared distribution: the regularised incomplete gamma function Q(k/2, x/2).
package enum ChiSquaredDistribution {
  /// P(X > statistic) with `degreesOfFreedom` > 0.
  package static func upperTail(_ statistic: Double, degreesOfFreedom: Int) -> Double {
    guard statistic > 0, degreesOfFreedom > 0 else { return statistic.isNaN ? .nan : 1 }
    guard statistic < .infinity else { return 0 }
    let shape = Double(degreesOfFreedom) / 2
    let x = statistic / 2
    return min(max(x < shape + 1 ? 1 - lowerSeries(shape, x) : upperFraction(shape, x), 0), 1)
  }

  /// x^a e^-x / Γ(a).
  private static func prefix(_ shape: Double, _ x: Double) -> Double {
    // Through the Poisson weight at a: no cancellation of large logarithms.
    shape * exp(BinomialTerms.logPoisson(shape, mean: x))
  }

  /// P(a, x) by its power series.
  private static func lowerSeries(_ shape: Double, _ x: Double) -> Double {
    var (term, sum, denominator) = (1 / shape, 1 / shape, shape)
    for _ in 0..<100_000 {
      denominator += 1
      term *= x / denominator
      sum += term
      if term < sum * 1e-17 { break }
    }
    return sum * prefix(shape, x)
  }

  /// Q(a, x) by its continued fraction (Lentz's method).
  private static func upperFraction(_ shape: Double, _ x: Double) -> Double {
    let tiny = 1e-300
    var b = x + 1 - shape
    var c = 1 / tiny
    var d = 1 / b
    var value = d
    for index in 1..<100_000 {
      let a = -Double(index) * (Double(index) - shape)
      b += 2
      d = a * d + b
      if d.magnitude < tiny { d = tiny }
      c = b + a / c
      if c.magnitude < tiny { c = tiny }
      d = 1 / d
      let factor = d * c
      value *= factor
      if (factor - 1).magnitude < 1e-16 { break }
    }
    return value * prefix(shape, x)
  }
}
