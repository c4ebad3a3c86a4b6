/// NannyML's formulas (0.13): bins from the reference by Doane's rule, and one more for what lies outside of them.
enum NannyMLDefinition {
  /// From so many reference rows on, ranks come from bins of equal width.
  private static let estimatedFrom = 10_000
  private static let estimationBins = 10_000
  private static let chunkCount = 10

  static func score(_ test: DriftTest, _ reference: NumericSample, _ current: NumericSample) -> TestScore? {
    guard reference.count > 0, current.count > 0 else { return nil }
    switch test {
    case .kolmogorovSmirnov:
      guard reference.count >= estimatedFrom else { return ClassicDefinition.score(test, reference, current) }
      return TestScore(exact: estimatedStatistic(reference, current))
    case .wasserstein:
      if reference.count >= estimatedFrom { return TestScore(exact: estimatedWasserstein(reference, current)) }
      return WassersteinDistance.exact(reference, current).map { TestScore(exact: $0) }
    case .jensenShannon, .hellinger:
      guard let bins = EqualWidthBins.doane(reference.values[...]) else { return nil }
      let counts = bins.counts(current.values[...])
      return score(
        test,
        CategoryCounts(
          reference: bins.counts(reference.values[...]).inside + [0],
          current: counts.inside + [counts.below + counts.above]))
    default: return nil
    }
  }

  static func score(_ test: DriftTest, _ counts: CategoryCounts) -> TestScore? {
    if test == .chiSquared {
      let table = ChiSquared.twoSample(
        reference: counts.reference, current: counts.current, usesYatesCorrection: true)
      return table.map { TestScore(exact: $0.statistic, pValue: $0.degreesOfFreedom == 0 ? 1 : $0.pValue) }
    }
    // Categories that are new share one bin, but for the largest difference, which looks at each.
    let merged = test == .largestDifference ? counts : counts.mergingNew()
    guard let shares = ShareDistances(reference: merged.reference, current: merged.current) else { return nil }
    return switch test {
    case .jensenShannon: TestScore(exact: shares.jensenShannonDistance(base: 2))
    case .hellinger: TestScore(exact: shares.hellinger)
    case .largestDifference: TestScore(exact: shares.largestDifference)
    default: nil
    }
  }

  /// Mean plus three standard deviations of the score over ten parts of the reference itself, against all of it.
  static func threshold(_ test: DriftTest, _ reference: FeatureWindow) -> Threshold? {
    if test == .chiSquared { return DriftDefinition.nannyml.threshold(test) }
    let rowCount =
      switch reference {
      case .numeric(let window): window.rows.count
      case .categorical(let window): window.rows.count
      }
    let size = rowCount / chunkCount
    guard size > 0 else { return nil }
    let scores = stride(from: 0, to: rowCount, by: size).compactMap { start -> Double? in
      let part = start..<min(start + size, rowCount)
      switch reference {
      case .numeric(let window):
        return score(test, window.sample, NumericSample(Array(window.rows[part])))?.score
      case .categorical(let window):
        return score(test, CategoryCounts(reference: window.counts(), current: window.counts(part)))?.score
      }
    }
    guard !scores.isEmpty else { return nil }
    let mean = PairwiseSum.sum(scores[...]) / Double(scores.count)
    let variance = PairwiseSum.sum(scores[...]) { ($0 - mean) * ($0 - mean) } / Double(scores.count)
    let limit = mean + 3 * variance.squareRoot()
    return Threshold(test == .kolmogorovSmirnov ? min(limit, 1) : limit, .above)
  }

  private static func estimatedStatistic(_ reference: NumericSample, _ current: NumericSample) -> Double {
    let (bins, counts) = bins(reference, current)
    var (first, second) = (0.0, Double(counts.below) / Double(current.count))
    var largest = 0.0
    for (p, q) in zip(bins, counts.inside) {
      first += Double(p) / Double(reference.count)
      second += Double(q) / Double(current.count)
      largest = max(largest, (first - second).magnitude)
    }
    return largest
  }

  /// What lies outside of the reference's range is weighed as it does: one row more than there are.
  private static func estimatedWasserstein(_ reference: NumericSample, _ current: NumericSample) -> Double {
    let (bins, counts) = bins(reference, current)
    let size = Double(current.count)
    let (low, high) = (reference.values[0], reference.values[reference.count - 1])
    var (first, second) = (0.0, counts.below > 0 ? Double(counts.below + 1) / size : 0)
    var area = 0.0
    let width = low == high ? 1.0 / Double(estimationBins) : (high - low) / Double(estimationBins)
    for (p, q) in zip(bins, counts.inside) {
      first += Double(p) / Double(reference.count)
      second += Double(q) / size
      area += (first - second).magnitude * width
    }
    let smaller = current.values[..<counts.below]
    let bigger = current.values[(current.count - counts.above)...]
    if !smaller.isEmpty {
      let reach = smaller.enumerated().reduce(0.0) { sum, entry in
        let next = entry.offset + 1 < smaller.count ? smaller[entry.offset + 1] : low
        return sum + Double(entry.offset + 1) / Double(smaller.count + 1) * (next - entry.element)
      }
      area += reach * Double(smaller.count + 1) / size
    }
    if !bigger.isEmpty {
      var (reach, previous) = (0.0, high)
      for (index, value) in bigger.enumerated() {
        reach += (1 - Double(index + 1) / Double(bigger.count + 1)) * (value - previous)
        previous = value
      }
      area += reach * Double(bigger.count + 1) / size
    }
    return area
  }

  private static func bins(
    _ reference: NumericSample, _ current: NumericSample
  ) -> (reference: [Int], current: (inside: [Int], below: Int, above: Int)) {
    let bins = EqualWidthBins(
      reference.values[0]...reference.values[reference.count - 1], count: estimationBins)
    return (bins.counts(reference.values[...]).inside, bins.counts(current.values[...]))
  }
}

extension CategoryCounts {
  init(reference: [Int], current: [Int]) {
    self.reference = reference
    self.current = current
  }

  /// All categories that the reference does not have become one.
  func mergingNew() -> CategoryCounts {
    var merged = CategoryCounts(reference: [], current: [])
    var new = 0
    for (reference, current) in zip(reference, current) {
      if reference == 0 {
        new += current
      } else {
        merged.reference.append(reference)
        merged.current.append(current)
      }
    }
    merged.reference.append(0)
    merged.current.append(new)
    return merged
  }
}
