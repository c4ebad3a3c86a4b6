/// Predictions against labels at one threshold.
package struct Confusion: Sendable, Equatable {
  package var truePositives: Int
  package var falsePositives: Int
  package var trueNegatives: Int
  package var falseNegatives: Int

  package init(truePositives: Int, falsePositives: Int, trueNegatives: Int, falseNegatives: Int) {
    self.truePositives = truePositives
    self.falsePositives = falsePositives
    self.trueNegatives = trueNegatives
    self.falseNegatives = falseNegatives
  }

  package func precision(confidence: Double = 0.95) -> Interval? {
    .share(truePositives, of: truePositives + falsePositives, confidence: confidence)
  }

  package func recall(confidence: Double = 0.95) -> Interval? {
    .share(truePositives, of: truePositives + falseNegatives, confidence: confidence)
  }

  package func accuracy(confidence: Double = 0.95) -> Interval? {
    .share(
      truePositives + trueNegatives, of: truePositives + trueNegatives + falsePositives + falseNegatives,
      confidence: confidence)
  }

  /// F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), which is a share: Wilson's interval of J, carried over.
  package func f1(confidence: Double = 0.95) -> Interval? {
    Interval.share(truePositives, of: truePositives + falsePositives + falseNegatives, confidence: confidence)
      .map { $0.map { 2 * $0 / (1 + $0) } }
  }
}

/// How far probabilities can be taken at their word.
package struct Calibration: Sendable, Equatable {
  package struct Group: Sendable, Equatable {
    package var count: Int
    package var meanScore: Double
    package var positiveCount: Int

    package var positiveShare: Double { Double(positiveCount) / Double(count) }
  }

  package var groups: [Group]

  /// Expected calibration error: the mean distance of score and share, weighed by rows.
  package var expectedError: Double {
    let total = Double(groups.reduce(0) { $0 + $1.count })
    return groups.reduce(0) { $0 + Double($1.count) / total * ($1.meanScore - $1.positiveShare).magnitude }
  }

  package var maximumError: Double { groups.map { ($0.meanScore - $0.positiveShare).magnitude }.max() ?? 0 }
}
