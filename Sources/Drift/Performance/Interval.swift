/// A figure with its confidence interval.
package struct Interval: Sendable, Equatable {
  package var value: Double
  package var lower: Double
  package var upper: Double

  package init(value: Double, lower: Double, upper: Double) {
    self.value = value
    self.lower = lower
    self.upper = upper
  }

  /// The z of a two-sided interval.
  static func z(_ confidence: Double) -> Double { NormalDistribution.quantile(0.5 + confidence / 2) }

  /// value ± z · error.
  static func normal(_ value: Double, standardError: Double, confidence: Double) -> Interval {
    let reach = z(confidence) * standardError
    return Interval(value: value, lower: value - reach, upper: value + reach)
  }

  /// The mean of some terms of which the sum and the sum of squares are known.
  static func mean(_ sum: ExactSum, squares: ExactSum, count: Int, confidence: Double) -> Interval? {
    guard count > 0 else { return nil }
    let size = Double(count)
    let mean = sum.rounded / size
    guard count > 1 else { return Interval(value: mean, lower: -.infinity, upper: .infinity) }
    var deviations = squares
    deviations.subtract(sum, times: mean)
    let error = (max(deviations.rounded, 0) / (size - 1) / size).squareRoot()
    return .normal(mean, standardError: error, confidence: confidence)
  }

  /// Wilson's interval for a share (1927): sound for small counts and near 0 and 1. Nil of nothing.
  package static func share(_ hits: Int, of count: Int, confidence: Double = 0.95) -> Interval? {
    guard count > 0 else { return nil }
    let (n, p) = (Double(count), Double(hits) / Double(count))
    let square = z(confidence) * z(confidence)
    let middle = (p + square / (2 * n)) / (1 + square / n)
    let reach = z(confidence) * (p * (1 - p) / n + square / (4 * n * n)).squareRoot() / (1 + square / n)
    return Interval(
      value: p, lower: hits == 0 ? 0 : max(middle - reach, 0), upper: hits == count ? 1 : min(middle + reach, 1))
  }

  func map(_ transform: (Double) -> Double) -> Interval {
    Interval(value: transform(value), lower: transform(lower), upper: transform(upper))
  }
}
