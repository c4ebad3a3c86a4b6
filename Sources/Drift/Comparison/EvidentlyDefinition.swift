/// Evidently's formulas (0.7): bins over both windows together, so that scores move with the current one too.
///
/// NaN and infinities are dropped first. Its total variation is the p-value of a random permutation: there is none
/// here.
enum EvidentlyDefinition {
  /// The most distinct reference values that are still taken one by one.
  private static let distinctMax = 20

  static func score(_ test: DriftTest, _ reference: NumericWindow, _ current: NumericWindow) -> TestScore? {
    let (first, second) = (reference.sample.onlyFinite, current.sample.onlyFinite)
    guard first.count > 0, second.count > 0 else { return nil }
    let isInteger = reference.isInteger && current.isInteger
    switch test {
    case .kolmogorovSmirnov: return ClassicDefinition.score(.kolmogorovSmirnovPValue, first, second)
    case .wasserstein:
      guard let distance = WassersteinDistance.exact(first, second), let deviation = first.standardDeviation else {
        return nil
      }
      return TestScore(exact: distance / max(deviation, 0.001))
    case .hellinger: return TestScore(exact: hellinger(first, second, isInteger: isInteger))
    case .chiSquared, .shareTest: return score(test, counts(ofEachValue: first, second))
    default: return score(test, counts(first, second, isInteger: isInteger))
    }
  }

  static func score(_ test: DriftTest, _ counts: CategoryCounts) -> TestScore? {
    if test == .shareTest { return ClassicDefinition.shareTest(counts) }
    if test == .chiSquared {
      guard let result = ChiSquared.oneSample(reference: counts.reference, current: counts.current) else { return nil }
      return TestScore(exact: result.degreesOfFreedom == 0 ? 1 : result.pValue)
    }
    guard let shares = ShareDistances(reference: counts.reference, current: counts.current) else { return nil }
    return switch test {
    case .psi: TestScore(exact: shares.psi(filled(shares.reference), filled(shares.current)))
    case .kullbackLeibler:
      TestScore(exact: shares.kullbackLeibler(filled(shares.reference), filled(shares.current)))
    case .jensenShannon: TestScore(exact: shares.jensenShannonDistance())
    case .hellinger: TestScore(exact: shares.hellinger)
    default: nil
    }
  }

  /// The test that Evidently takes when none is named.
  static func defaultTest(_ reference: NumericWindow, _ current: NumericWindow) -> DriftTest {
    let (first, second) = (reference.sample.onlyFinite, current.sample.onlyFinite)
    let distinct = counts(ofEachValue: first, second, limit: 5).reference.count
    if first.count > 1_000 { return distinct > 5 ? .wasserstein : .jensenShannon }
    return distinct > 5 ? .kolmogorovSmirnov : distinct > 2 ? .chiSquared : .shareTest
  }

  static func defaultTest(_ counts: CategoryCounts) -> DriftTest {
    let referenceRows = counts.reference.reduce(0, +)
    return referenceRows > 1_000 ? .jensenShannon : counts.reference.count > 2 ? .chiSquared : .shareTest
  }

  /// An empty bin gets 1e-4, or, where some bin has no more than that, a millionth of the smallest one.
  private static func filled(_ shares: [Double]) -> [Double] {
    let smallest = shares.filter { $0 > 0 }.min() ?? 1
    let filling = smallest <= 1e-4 ? smallest / 1e6 : 1e-4
    return shares.map { $0 == 0 ? filling : $0 }
  }

  private static func counts(_ first: NumericSample, _ second: NumericSample, isInteger: Bool) -> CategoryCounts {
    guard first.distinctCount(limit: distinctMax) > distinctMax else { return counts(ofEachValue: first, second) }
    let bins = EqualWidthBins.sturges(
      count: first.count + second.count, range: range(first, second), isInteger: isInteger)
    return CategoryCounts(
      reference: bins.counts(first.values[...]).inside, current: bins.counts(second.values[...]).inside)
  }

  private static func range(_ first: NumericSample, _ second: NumericSample) -> ClosedRange<Double> {
    min(first.values[0], second.values[0])...max(first.values[first.count - 1], second.values[second.count - 1])
  }

  /// One bin for each value that either side has, up to `limit` + 1 of them.
  private static func counts(
    ofEachValue first: NumericSample, _ second: NumericSample, limit: Int = .max - 1
  ) -> CategoryCounts {
    var counts = CategoryCounts(reference: [], current: [])
    var (below, currentBelow) = (0, 0)
    KolmogorovSmirnov.forEachStep(first.values[...], second.values[...]) { _, reference, current in
      guard counts.reference.count <= limit else { return }
      counts.reference.append(reference - below)
      counts.current.append(current - currentBelow)
      (below, currentBelow) = (reference, current)
    }
    return counts
  }

  /// √(1 - Σ √(pq)) in Sturges' bins for the number of distinct values of both sides.
  private static func hellinger(_ first: NumericSample, _ second: NumericSample, isInteger: Bool) -> Double {
    var distinct = 0
    KolmogorovSmirnov.forEachStep(first.values[...], second.values[...]) { _, _, _ in distinct += 1 }
    let bins = EqualWidthBins.sturges(count: distinct, range: range(first, second), isInteger: isInteger)
    let (p, q) = (bins.counts(first.values[...]).inside, bins.counts(second.values[...]).inside)
    let affinity = zip(p, q).reduce(0.0) { sum, pair in
      sum + (Double(pair.0) / Double(first.count) * (Double(pair.1) / Double(second.count))).squareRoot()
    }
    return (1 - min(max(affinity, 0), 1)).squareRoot()
  }
}
