internal import Glibc

/// Binomial and Poisson weights to nearly full precision for any size.
///
/// Loader: Fast and Accurate Computation of Binomial Probabilities (2000). The large logarithms of factorials cancel
/// on paper instead of in floating point.
enum BinomialTerms {
  /// ln n! - ln(√(2πn) (n/e)^n): what Stirling's formula leaves out. For n > 0, whole or not.
  static func stirlingError(_ n: Double) -> Double {
    if n < 16 {
      var unused: Int32 = 0
      let logGamma = unsafe lgamma_r(n + 1, &unused)
      return logGamma - (n + 0.5) * log(n) + n - halfLogTwoPi
    }
    let square = n * n
    return
      (1.0 / 12
      - (1.0 / 360
        - (1.0 / 1_260 - (1.0 / 1_680 - (1.0 / 1_188 - 691.0 / 360_360 / square) / square)
          / square)
          / square)
        / square)
      / n
  }

  private static let halfLogTwoPi = 0.918_938_533_204_672_7

  /// x ln(x/mean) + mean - x, without cancellation near x = mean.
  static func deviance(_ x: Double, _ mean: Double) -> Double {
    if x == 0 { return mean }
    if (x - mean).magnitude < 0.1 * (x + mean) {
      let ratio = (x - mean) / (x + mean)
      var sum = (x - mean) * ratio
      var term = 2 * x * ratio
      for index in 1..<1_000 {
        term *= ratio * ratio
        let next = sum + term / Double(2 * index + 1)
        if next == sum { return next }
        sum = next
      }
    }
    return x * log(x / mean) + mean - x
  }

  /// ln(mean^x e^-mean / Γ(x + 1)).
  static func logPoisson(_ x: Double, mean: Double) -> Double {
    if x == 0 { return -mean }
    return -stirlingError(x) - deviance(x, mean) - halfLogTwoPi - 0.5 * log(x)
  }

  /// ln(C(n, k) p^k q^(n-k)) with p + q = 1, 0 ≤ k ≤ n.
  static func logBinomial(_ k: Double, of n: Double, _ p: Double, _ q: Double) -> Double {
    if k == 0 { return p == 0 ? 0 : n * (p < 0.1 ? log1p(-p) : log(q)) }
    if k == n { return n * (q < 0.1 ? log1p(-q) : log(p)) }
    let errors = stirlingError(n) - stirlingError(k) - stirlingError(n - k)
    let deviances = deviance(k, n * p) + deviance(n - k, n * q)
    return errors - deviances + 0.5 * log(n / (k * (n - k))) - halfLogTwoPi
  }
}
