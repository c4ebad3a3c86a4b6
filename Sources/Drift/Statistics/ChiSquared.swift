/// Pearson's chi-squared test on counts of bins or categories.
package struct ChiSquared: Sendable, Equatable {
  package var statistic: Double
  package var degreesOfFreedom: Int

  package var pValue: Double {
    ChiSquaredDistribution.upperTail(statistic, degreesOfFreedom: degreesOfFreedom)
  }

  /// Both samples are random: a 2 x k table. Bins that are empty on both sides do not count.
  ///
  /// - Parameter usesYatesCorrection: half a count less in each cell where there is one degree of freedom.
  /// - Returns: nil when a side is empty.
  package static func twoSample(
    reference: [Int], current: [Int], usesYatesCorrection: Bool = false
  ) -> ChiSquared? {
    let pairs = zip(reference, current).filter { $0.0 > 0 || $0.1 > 0 }.map { (Double($0.0), Double($0.1)) }
    let totals = pairs.reduce((0.0, 0.0)) { ($0.0 + $1.0, $0.1 + $1.1) }
    guard totals.0 > 0, totals.1 > 0 else { return nil }
    let all = totals.0 + totals.1
    let corrects = usesYatesCorrection && pairs.count == 2
    var sum = 0.0
    for pair in pairs {
      let row = pair.0 + pair.1
      for (observed, total) in [(pair.0, totals.0), (pair.1, totals.1)] {
        let expected = row * total / all
        var difference = (observed - expected).magnitude
        if corrects { difference -= min(0.5, difference) }
        sum += difference * difference / expected
      }
    }
    return ChiSquared(statistic: sum, degreesOfFreedom: pairs.count - 1)
  }

  /// The reference is taken for exact: current counts against the reference's shares. A category that the reference
  /// does not have is infinitely surprising.
  ///
  /// - Returns: nil when a side is empty.
  package static func oneSample(reference: [Int], current: [Int]) -> ChiSquared? {
    let pairs = zip(reference, current).filter { $0.0 > 0 || $0.1 > 0 }.map { (Double($0.0), Double($0.1)) }
    let totals = pairs.reduce((0.0, 0.0)) { ($0.0 + $1.0, $0.1 + $1.1) }
    guard totals.0 > 0, totals.1 > 0 else { return nil }
    var sum = 0.0
    for (reference, observed) in pairs {
      let expected = reference / totals.0 * totals.1
      sum += (observed - expected) * (observed - expected) / expected
    }
    return ChiSquared(statistic: sum, degreesOfFreedom: pairs.count - 1)
  }
}

/// The z-test for two shares, with the pooled standard error.
package enum ShareTest {
  /// The two-sided p-value; nil when a side is empty. 1 when nothing varies.
  package static func pValue(_ hits: Int, of count: Int, against otherHits: Int, of otherCount: Int) -> Double? {
    guard count > 0, otherCount > 0 else { return nil }
    let (n, m) = (Double(count), Double(otherCount))
    let (p, q) = (Double(hits) / n, Double(otherHits) / m)
    let pooled = (p * n + q * m) / (n + m)
    let error = (pooled * (1 - pooled) * (1 / n + 1 / m)).squareRoot()
    guard error > 0 else { return 1 }
    return NormalDistribution.twoSided((p - q) / error)
  }
}
