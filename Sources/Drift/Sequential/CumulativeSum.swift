/// Page's CUSUM: a lasting shift of the mean against a known reference, in standard deviations.
///
/// With allowance k = 0.5 and limit h = 5 a shift of one standard deviation is found after 10 values on average, and a
/// false alarm comes about once in 930 values without drift (both sides: 465).
package struct CumulativeSum: Sendable, Equatable {
  package enum Signal: Sendable { case up, down }

  /// The reference's.
  package let mean: Double
  package let standardDeviation: Double
  /// Half of the shift to find, in standard deviations.
  package let allowance: Double
  /// Cumulated deviation that is a shift, in standard deviations.
  package let limit: Double
  package private(set) var high = 0.0
  package private(set) var low = 0.0
  /// Values since the side that is higher was last at zero: since when the shift has lasted.
  package private(set) var sinceZero = 0

  /// - Precondition: `standardDeviation` > 0.
  package init(mean: Double, standardDeviation: Double, allowance: Double = 0.5, limit: Double = 5) {
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.allowance = allowance
    self.limit = limit
  }

  /// Takes the next value; what is not finite is left out. After a signal it begins anew.
  package mutating func add(_ value: Double) -> Signal? {
    guard value.isFinite else { return nil }
    let z = (value - mean) / standardDeviation
    high = max(0, high + z - allowance)
    low = max(0, low - z - allowance)
    sinceZero = high == 0 && low == 0 ? 0 : sinceZero + 1
    guard max(high, low) > limit else { return nil }
    let signal: Signal = high > low ? .up : .down
    (high, low, sinceZero) = (0, 0, 0)
    return signal
  }
}
