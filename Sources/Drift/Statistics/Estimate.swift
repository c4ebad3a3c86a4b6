/// A statistic with the interval in which the exact value lies for certain.
///
/// An exact result has an interval of one point. The result of a sketch says how far the sketch can be off: the bounds
/// follow from what was counted and hold always, not with some probability.
package struct Estimate: Sendable, Equatable {
  package var value: Double
  package var lowerBound: Double
  package var upperBound: Double

  package init(exact value: Double) {
    self.init(value, lowerBound: value, upperBound: value)
  }

  package init(_ value: Double, lowerBound: Double, upperBound: Double) {
    self.value = value
    self.lowerBound = lowerBound
    self.upperBound = upperBound
  }

  package var isExact: Bool { lowerBound == upperBound }

  func divided(by divisor: Double) -> Estimate {
    Estimate(value / divisor, lowerBound: lowerBound / divisor, upperBound: upperBound / divisor)
  }
}
