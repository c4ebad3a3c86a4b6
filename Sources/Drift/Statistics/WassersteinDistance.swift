/// The first Wasserstein distance: the area between the two cumulative distributions.
package enum WassersteinDistance {
  /// In the unit of the values, over the finite ones; nil when a side has none.
  package static func exact(_ reference: NumericSample, _ current: NumericSample) -> Double? {
    let (first, second) = (reference.finite, current.finite)
    guard !first.isEmpty, !second.isEmpty else { return nil }
    var (area, compensation) = (0.0, 0.0)
    var (previous, height) = (0.0, 0.0)
    KolmogorovSmirnov.forEachStep(first, second) { value, referenceBelow, currentBelow in
      if height != 0 {
        let term = height * (value - previous) - compensation
        let sum = area + term
        compensation = (sum - area) - term
        area = sum
      }
      previous = value
      height =
        (Double(referenceBelow) / Double(first.count) - Double(currentBelow) / Double(second.count)).magnitude
    }
    return area
  }
}
