internal import Glibc

/// How well a model does before labels are known, taking its calibrated probabilities at their word (NannyML's CBPE).
///
/// Right as long as calibration holds: it sees that the data have moved to where the model is unsure, not that the
/// world has changed what they mean.
package struct ConfidenceBasedEstimate: Sendable {
  package struct Event: Sendable {
    /// What the model said; orders events and decides predictions.
    package var score: Double
    /// The probability of a positive label, calibrated.
    package var probability: Double

    package init(score: Double, probability: Double) {
      self.score = score
      self.probability = probability
    }
  }

  /// In rising order of the scores.
  private let events: [Event]

  /// - Parameter events: those with NaN are left out.
  package init(_ events: [Event]) {
    self.events = events.filter { !$0.score.isNaN && !$0.probability.isNaN }.sorted { $0.score < $1.score }
  }

  package init(scores: [Double], calibration: IsotonicCalibration) {
    self.init(scores.map { Event(score: $0, probability: calibration.probability($0)) })
  }

  package var count: Int { events.count }

  /// Expected counts at a threshold.
  package struct Expectation: Sendable, Equatable {
    package var truePositives = 0.0
    package var falsePositives = 0.0
    package var trueNegatives = 0.0
    package var falseNegatives = 0.0

    package var precision: Double? { Self.ratio(truePositives, truePositives + falsePositives) }
    package var recall: Double? { Self.ratio(truePositives, truePositives + falseNegatives) }
    package var specificity: Double? { Self.ratio(trueNegatives, trueNegatives + falsePositives) }
    package var f1: Double? { Self.ratio(truePositives, truePositives + (falsePositives + falseNegatives) / 2) }
    package var accuracy: Double? {
      Self.ratio(truePositives + trueNegatives, truePositives + trueNegatives + falsePositives + falseNegatives)
    }

    private static func ratio(_ part: Double, _ whole: Double) -> Double? { whole > 0 ? part / whole : nil }
  }

  /// A score at or above the threshold is a positive prediction.
  package func expectation(threshold: Double) -> Expectation {
    let first = events.partitioningIndex { $0.score >= threshold }
    let below = events[..<first].map(\.probability)
    let above = events[first...].map(\.probability)
    let (missed, hit) = (PairwiseSum.sum(below[...]), PairwiseSum.sum(above[...]))
    return Expectation(
      truePositives: hit, falsePositives: Double(above.count) - hit, trueNegatives: Double(below.count) - missed,
      falseNegatives: missed)
  }

  /// The expected area under the ROC curve; equal scores count one half. Nil when a class is not expected.
  package var areaUnderCurve: Double? {
    let positives = PairwiseSum.sum(events.map(\.probability)[...])
    let negatives = Double(events.count) - positives
    guard positives > 0, negatives > 0 else { return nil }
    var (area, below) = (0.0, 0.0)
    var place = 0
    while place < events.count {
      var (hits, misses) = (0.0, 0.0)
      let score = events[place].score
      while place < events.count, events[place].score == score {
        hits += events[place].probability
        misses += 1 - events[place].probability
        place += 1
      }
      area += hits * (below + misses / 2)
      below += misses
    }
    return area / positives / negatives
  }
}
