internal import Glibc

/// Scores with labels, all of them: exact figures for windows that are kept.
package struct BinaryScores: Sendable {
  /// In falling order of the scores: how many of either label share each one.
  private let steps: [(score: Double, negatives: Int, positives: Int)]

  /// - Parameter pairs: NaN scores are left out.
  package init(_ pairs: [(score: Double, label: Bool)]) {
    var steps: [(score: Double, negatives: Int, positives: Int)] = []
    for (score, label) in pairs.filter({ !$0.score.isNaN }).sorted(by: { $0.score > $1.score }) {
      if steps.last?.score != score { steps.append((score, 0, 0)) }
      if label { steps[steps.count - 1].positives += 1 } else { steps[steps.count - 1].negatives += 1 }
    }
    self.steps = steps
  }

  /// Ties count one half, as in scikit-learn; interval by DeLong. Nil while a class has no event.
  package func areaUnderCurve(confidence: Double = 0.95) -> AUCEstimate? {
    AUCEstimate(
      negatives: steps.reversed().map(\.negatives), positives: steps.reversed().map(\.positives),
      confidence: confidence, areBins: false)
  }

  /// Σ (R_k - R_{k-1}) P_k from the highest score down, as scikit-learn; nil without a positive event.
  package var averagePrecision: Double? {
    let positives = steps.reduce(0) { $0 + $1.positives }
    guard positives > 0 else { return nil }
    var (hits, misses, sum) = (0, 0, 0.0)
    for step in steps {
      hits += step.positives
      misses += step.negatives
      sum += Double(step.positives) * Double(hits) / Double(hits + misses)
    }
    return sum / Double(positives)
  }

  /// Counts at a threshold: a score at or above it is a positive prediction.
  package func confusion(threshold: Double) -> Confusion {
    var confusion = Confusion(truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0)
    for step in steps {
      if step.score >= threshold {
        confusion.truePositives += step.positives
        confusion.falsePositives += step.negatives
      } else {
        confusion.falseNegatives += step.positives
        confusion.trueNegatives += step.negatives
      }
    }
    return confusion
  }

  /// -ln p of a label, with the probability clipped as in scikit-learn.
  static func logLoss(_ score: Double, _ label: Bool) -> Double {
    let probability = min(max(score, .ulpOfOne), 1 - .ulpOfOne)
    return label ? -log(probability) : -log1p(-probability)
  }
}

/// Area under the ROC curve: the probability that a positive event has the higher score.
package struct AUCEstimate: Sendable, Equatable {
  /// Events of one bin, or of one score, count as ties. DeLong's interval (1988) is around it.
  package var interval: Interval
  /// The area of the scores themselves lies in here for certain; one point when there were no bins.
  package var estimate: Estimate
  package var standardError: Double

  package var value: Double { interval.value }

  /// - Parameters:
  ///   - negatives: counts in rising order of the scores.
  ///   - areBins: whether an entry may hold different scores.
  init?(negatives: [Int], positives: [Int], confidence: Double, areBins: Bool = true) {
    let (n, m) = (negatives.reduce(0, +), positives.reduce(0, +))
    guard n > 0, m > 0 else { return nil }
    let (negativeCount, positiveCount) = (Double(n), Double(m))
    // DeLong's structural components: for each event the share of the other class that it beats, ties half. They
    // are equal within an entry, so that the ranks of entries are enough (Sun, Xu 2014).
    var (below, positivesBelow) = (0.0, 0.0)
    var (area, undecided) = (0.0, 0.0)
    var (positiveSquares, negativeSquares) = (0.0, 0.0)
    for (negative, positive) in zip(negatives, positives) where negative > 0 || positive > 0 {
      let (a, b) = (Double(negative), Double(positive))
      let beaten = (below + a / 2) / negativeCount
      let beatenBy = (positiveCount - positivesBelow - b / 2) / positiveCount
      area += b * beaten
      positiveSquares += b * beaten * beaten
      negativeSquares += a * beatenBy * beatenBy
      undecided += a * b
      below += a
      positivesBelow += b
    }
    let value = area / positiveCount
    let error = areBins ? undecided / 2 / negativeCount / positiveCount : 0
    estimate = Estimate(value, lowerBound: max(value - error, 0), upperBound: min(value + error, 1))
    var variance = 0.0
    if m > 1 {
      variance += max(positiveSquares - positiveCount * value * value, 0) / (positiveCount - 1) / positiveCount
    }
    if n > 1 {
      variance += max(negativeSquares - negativeCount * value * value, 0) / (negativeCount - 1) / negativeCount
    }
    standardError = variance.squareRoot()
    let around = Interval.normal(value, standardError: standardError, confidence: confidence)
    interval = Interval(value: value, lower: max(around.lower, 0), upper: min(around.upper, 1))
  }
}
