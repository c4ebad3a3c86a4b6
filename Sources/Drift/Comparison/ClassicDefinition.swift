/// scipy's statistics; shares in bins that the reference alone decides.
enum ClassicDefinition {
  /// Nil where a test does not apply to numbers, or a side has no values.
  static func score(_ test: DriftTest, _ reference: NumericSample, _ current: NumericSample) -> TestScore? {
    switch test {
    case .missing: return missing(reference.missingShare, current.missingShare, reference.rowCount, current.rowCount)
    case .kolmogorovSmirnov, .kolmogorovSmirnovPValue:
      guard let statistic = KolmogorovSmirnov.statistic(reference, current) else { return nil }
      if test == .kolmogorovSmirnov { return TestScore(exact: statistic) }
      let probability = KolmogorovSmirnov.pValue(
        statistic, referenceCount: reference.count, currentCount: current.count)
      return TestScore(exact: probability)
    case .wasserstein:
      guard let distance = WassersteinDistance.exact(reference, current),
        let deviation = reference.standardDeviation
      else { return nil }
      return TestScore(exact: normalised(distance, deviation))
    case .outOfRange:
      guard let low = reference.finite.first, let high = reference.finite.last, current.count > 0 else { return nil }
      let below = current.values.partitioningIndex { $0 >= low }
      let above = current.count - current.values.partitioningIndex { $0 > high }
      return TestScore(exact: Double(below + above) / Double(current.count))
    default:
      guard let grid = BinGrid(quantilesOf: reference) else { return nil }
      return score(test, reference: grid.counts(of: reference), current: grid.counts(of: current))
    }
  }

  /// The same of categories.
  static func score(
    _ test: DriftTest, _ counts: CategoryCounts, missing: (reference: Int, current: Int)
  ) -> TestScore? {
    switch test {
    case .missing:
      let rows = (
        counts.reference.reduce(0, +) + missing.reference, counts.current.reduce(0, +) + missing.current
      )
      guard rows.0 > 0, rows.1 > 0 else { return nil }
      return self.missing(
        Double(missing.reference) / Double(rows.0), Double(missing.current) / Double(rows.1), rows.0, rows.1)
    case .newCategories:
      guard counts.reference.contains(where: { $0 > 0 }), counts.current.contains(where: { $0 > 0 }) else { return nil }
      return TestScore(exact: counts.newShare)
    case .shareTest: return shareTest(counts)
    default: return score(test, reference: counts.reference, current: counts.current)
    }
  }

  /// What needs counts only.
  static func score(_ test: DriftTest, reference: [Int], current: [Int]) -> TestScore? {
    if test == .chiSquared {
      guard let result = ChiSquared.twoSample(reference: reference, current: current) else { return nil }
      return TestScore(exact: result.degreesOfFreedom == 0 ? 1 : result.pValue)
    }
    guard let shares = ShareDistances(reference: reference, current: current) else { return nil }
    let floor = 1e-4
    return switch test {
    case .psi: TestScore(exact: shares.populationStabilityIndex(floor: floor))
    case .jensenShannon: TestScore(exact: shares.jensenShannonDistance())
    case .kullbackLeibler:
      TestScore(
        exact: shares.kullbackLeibler(shares.reference.map { max($0, floor) }, shares.current.map { max($0, floor) }))
    case .hellinger: TestScore(exact: shares.hellinger)
    case .totalVariation: TestScore(exact: shares.totalVariation)
    case .largestDifference: TestScore(exact: shares.largestDifference)
    default: nil
    }
  }

  static func score(_ test: DriftTest, _ reference: NumericProfile, _ current: NumericProfile) -> TestScore? {
    if test == .missing {
      return missing(reference.missingShare, current.missingShare, reference.rowCount, current.rowCount)
    }
    guard let statistics = ProfileStatistics(reference, current) else { return nil }
    switch test {
    case .kolmogorovSmirnov: return TestScore(statistics.kolmogorovSmirnov)
    case .kolmogorovSmirnovPValue:
      let distance = statistics.kolmogorovSmirnov
      // A larger distance has a smaller probability: the bounds change places.
      let probabilities = [distance.value, distance.upperBound, distance.lowerBound].map {
        KolmogorovSmirnov.pValue($0, referenceCount: reference.count, currentCount: current.count)
      }
      return TestScore(Estimate(probabilities[0], lowerBound: probabilities[1], upperBound: probabilities[2]))
    case .wasserstein:
      guard let distance = statistics.wasserstein, let deviation = reference.moments.standardDeviation else {
        return nil
      }
      guard deviation > 0 else { return TestScore(exact: normalised(distance.value, deviation)) }
      return TestScore(distance.divided(by: deviation))
    case .outOfRange: return TestScore(exact: current.outOfRangeShare)
    default:
      let grid = reference.grid
      return score(test, reference: grid.coarse(reference.counts), current: grid.coarse(current.counts))
    }
  }

  private static func missing(_ reference: Double, _ current: Double, _ rows: Int, _ currentRows: Int) -> TestScore? {
    rows > 0 && currentRows > 0 ? TestScore(exact: (current - reference).magnitude) : nil
  }

  /// A constant that changes at all has changed beyond measure.
  private static func normalised(_ distance: Double, _ deviation: Double) -> Double {
    deviation > 0 ? distance / deviation : distance == 0 ? 0 : .infinity
  }

  static func shareTest(_ counts: CategoryCounts) -> TestScore? {
    guard let first = counts.reference.first, let other = counts.current.first else { return nil }
    let (n, m) = (counts.reference.reduce(0, +), counts.current.reduce(0, +))
    return ShareTest.pValue(n - first, of: n, against: m - other, of: m).map { TestScore(exact: $0) }
  }
}
