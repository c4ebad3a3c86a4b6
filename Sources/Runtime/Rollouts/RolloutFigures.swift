package import Drift

/// What the predictions of a rollout come to: a view of the topics that they are in, so that it is the same whoever
/// reads them, and made again by reading them again.
package struct RolloutFigures: Sendable {
  /// One version's part in it.
  package struct Arm: Sendable {
    package var predictions = 0
    /// Events for which it had no number.
    package var failures = 0
    /// Of models with one score.
    package var scores = QuantileSketch()
    /// What scoring one event took, in nanoseconds.
    package var scoringNanoseconds = QuantileSketch()

    package init() {}

    package var failureRate: Double { predictions == 0 ? 0 : Double(failures) / Double(predictions) }
    package var scoringMilliseconds99: Double? { scoringNanoseconds.quantile(0.99).map { $0 / 1_000_000 } }

    mutating func merge(_ other: Arm) {
      predictions += other.predictions
      failures += other.failures
      scores.merge(other.scores)
      scoringNanoseconds.merge(other.scoringNanoseconds)
    }

    mutating func add(score: Double?, hasFailed: Bool, nanoseconds: Double?) {
      predictions += 1
      if hasFailed { failures += 1 }
      if !hasFailed, let score { scores.add(score) }
      if let nanoseconds { scoringNanoseconds.add(nanoseconds) }
    }
  }

  /// What answered beside it, or for a shadow: what it is compared with.
  package var champion = Arm()
  package var challenger = Arm()
  /// Events that a shadow and the version that answered have scored both.
  package var compared = 0
  /// Of these, those where both had a decision.
  package var decided = 0
  package var agreeing = 0
  /// Sum of |difference| over `compared`.
  package var differenceSum = 0.0
  package var differenceMaximum = 0.0
  /// Of |difference|.
  package var differences = QuantileSketch()

  package init() {}

  package var agreement: Double? { decided == 0 ? nil : Double(agreeing) / Double(decided) }
  package var meanDifference: Double? { compared == 0 ? nil : differenceSum / Double(compared) }
  package var scorePSI: Double? { champion.scores.populationStabilityIndex(of: challenger.scores) }

  mutating func merge(_ other: RolloutFigures) {
    champion.merge(other.champion)
    challenger.merge(other.challenger)
    compared += other.compared
    decided += other.decided
    agreeing += other.agreeing
    differenceSum += other.differenceSum
    differenceMaximum = max(differenceMaximum, other.differenceMaximum)
    differences.merge(other.differences)
  }

  mutating func compare(difference: Double?, agrees: Bool?) {
    if let agrees {
      decided += 1
      if agrees { agreeing += 1 }
    }
    guard let difference, difference.isFinite else { return }
    compared += 1
    differenceSum += difference.magnitude
    differenceMaximum = max(differenceMaximum, difference.magnitude)
    differences.add(difference.magnitude)
  }
}
