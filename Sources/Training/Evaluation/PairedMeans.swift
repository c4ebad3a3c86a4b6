internal import Drift

/// The mean of differences, row by row, with an interval by the normal distribution: sound for means of many rows that
/// do not depend on each other.
enum PairedMeans {
  /// - Parameters:
  ///   - first: a loss or a hit of each row; of the other model the same.
  static func difference(
    _ first: [Double], _ second: [Double], confidence: Double
  ) -> (value: Double, low: Double, high: Double)? {
    guard !first.isEmpty else { return nil }
    let count = Double(first.count)
    let differences = zip(first, second).map { $0 - $1 }
    let mean = differences.reduce(0, +) / count
    guard first.count > 1 else { return (mean, -.infinity, .infinity) }
    let squares = differences.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) }
    let reach = NormalDistribution.quantile(0.5 + confidence / 2) * (squares / (count - 1) / count).squareRoot()
    return (mean, mean - reach, mean + reach)
  }
}
