internal import Glibc

/// When a feature's drift is worth an alarm: the effect is large enough to matter, and the sample large enough that it
/// is no chance, over all features of a model together.
package struct AlarmPolicy: Sendable, Equatable {
  /// The highest share of false alarms among alarms; without drift the probability of any alarm in a window.
  package var falseDiscoveryRate: Double
  /// Effects: an alarm needs a score at or above one of them.
  package var effects: [DriftTest: Double]
  /// Windows with fewer rows give none.
  package var minimumRowCount: Int

  package init(
    falseDiscoveryRate: Double = 0.01,
    effects: [DriftTest: Double] = [.psi: 0.1, .kolmogorovSmirnov: 0.08, .missing: 0.05, .newCategories: 0.01],
    minimumRowCount: Int = 200
  ) {
    self.falseDiscoveryRate = falseDiscoveryRate
    self.effects = effects
    self.minimumRowCount = minimumRowCount
  }

  /// What speaks for an alarm of one feature.
  package struct Finding: Sendable, Equatable {
    package var feature: String
    /// How improbable the window is without drift.
    package var pValue: Double
    /// The same, corrected for the number of features.
    package var adjustedPValue: Double
    /// The test whose score is largest against its limit, where one is reached.
    package var test: DriftTest?
    package var score: Double
    package var threshold: Double
    package var isAlarm: Bool
  }

  /// Judges all features of one model in one window together.
  ///
  /// - Parameter usual: effects that windows of the reference have among themselves, by feature: below them nothing is
  ///   an alarm. P-values take rows for independent, and those of aggregates are not.
  /// - Returns: a finding for each feature that could be judged, in the given order.
  package func judge(
    _ features: [(name: String, reference: FeatureProfile, current: FeatureProfile)],
    usual: [String: [DriftTest: Double]] = [:]
  ) -> [Finding] {
    let judged = features.filter { min($0.reference.rowCount, $0.current.rowCount) >= minimumRowCount }
    let pValues = judged.map { Self.pValue($0.reference, $0.current) }
    let adjusted = FalseDiscovery.adjusted(pValues)
    return judged.indices.map { index in
      let (name, reference, current) = judged[index]
      let effect = largestEffect(name, reference, current, usual[name] ?? [:])
      let isCertain = adjusted[index] <= falseDiscoveryRate
      return Finding(
        feature: name, pValue: pValues[index], adjustedPValue: adjusted[index], test: effect?.test,
        score: effect?.score ?? 0, threshold: effect?.limit ?? 0,
        isAlarm: isCertain && (effect.map { $0.score >= $0.limit } ?? false))
    }
  }

  private func largestEffect(
    _ name: String, _ reference: FeatureProfile, _ current: FeatureProfile, _ usual: [DriftTest: Double]
  ) -> (test: DriftTest, score: Double, limit: Double)? {
    let tests = effects.keys.sorted { $0.rawValue < $1.rawValue }
    let drift = DriftComparison(tests: tests).compare(name, reference, current)
    return drift.results.compactMap { result in
      effects[result.test].map { (result.test, result.score.score, max($0, usual[result.test] ?? 0)) }
    }.max { $0.score / $0.limit < $1.score / $1.limit }
  }

  /// The probability of so different a window when nothing has changed, by three looks at it (Bonferroni): shares of
  /// the bins or categories, the largest difference of the ranks, and the share of missing values.
  package static func pValue(_ reference: FeatureProfile, _ current: FeatureProfile) -> Double {
    var looks: [Double] = []
    switch (reference, current) {
    case (.numeric(let reference), .numeric(let current)):
      looks.append(missing(reference.missingCount, reference.rowCount, current.missingCount, current.rowCount))
      if let statistics = ProfileStatistics(reference, current) {
        if let test = statistics.chiSquared, test.degreesOfFreedom > 0 { looks.append(test.pValue) }
        // At the edges only, which makes it larger than the one of all values: careful.
        looks.append(
          KolmogorovSmirnov.pValue(
            statistics.kolmogorovSmirnov.lowerBound, referenceCount: reference.count, currentCount: current.count,
            method: .asymptotic))
      }
    case (.categorical(let reference), .categorical(let current)):
      looks.append(missing(reference.missingCount, reference.rowCount, current.missingCount, current.rowCount))
      let counts = CategoryCounts(reference, current).poolingRare()
      if let test = ChiSquared.twoSample(reference: counts.reference, current: counts.current),
        test.degreesOfFreedom > 0
      {
        looks.append(test.pValue)
      }
    default: return .nan
    }
    let least = looks.filter { !$0.isNaN }.min() ?? .nan
    return min(least * Double(looks.count), 1)
  }

  private static func missing(_ hits: Int, _ count: Int, _ otherHits: Int, _ otherCount: Int) -> Double {
    guard hits + otherHits > 0, count > 0, otherCount > 0 else { return 1 }
    let test = ChiSquared.twoSample(
      reference: [hits, count - hits], current: [otherHits, otherCount - otherHits], usesYatesCorrection: true)
    return test.map { $0.degreesOfFreedom == 0 ? 1 : $0.pValue } ?? 1
  }
}

extension CategoryCounts {
  /// Categories with an expected count below five on a side become one: else chi-squared finds drift in noise.
  func poolingRare() -> CategoryCounts {
    let totals = (Double(reference.reduce(0, +)), Double(current.reduce(0, +)))
    let smaller = min(totals.0, totals.1) / max(totals.0 + totals.1, 1)
    var pooled = CategoryCounts(reference: [], current: [])
    var rest = (0, 0)
    for (p, q) in zip(reference, current) {
      if Double(p + q) * smaller < 5 {
        rest = (rest.0 + p, rest.1 + q)
      } else {
        pooled.reference.append(p)
        pooled.current.append(q)
      }
    }
    pooled.reference.append(rest.0)
    pooled.current.append(rest.1)
    return pooled
  }
}
