package import Core

/// Scores without labels, in the bins of `BinaryAccumulator`: what is estimated before labels come.
package struct ScoreHistogram: Sendable, Equatable {
  /// Of the bins that are not empty.
  package private(set) var counts: [Int: Int] = [:]

  package init() {}

  /// Adds a probability; anything else is left out.
  package mutating func add(_ score: Double) {
    guard score >= 0, score <= 1 else { return }
    counts[BinaryAccumulator.bin(score), default: 0] += 1
  }

  /// The scores as events, each bin by its middle, with their calibrated probabilities: at most as many as there are
  /// bins, weighted by how many scores each stands for.
  package func expectation(_ calibration: IsotonicCalibration, threshold: Double) -> Expectation {
    var expectation = Expectation()
    var area = 0.0
    for (bin, count) in counts.sorted(by: { $0.key < $1.key }) {
      let score = (Double(bin) + 0.5) / Double(BinaryAccumulator.binCount)
      let hits = Double(count) * calibration.probability(score)
      let misses = Double(count) - hits
      area += hits * (expectation.negatives + misses / 2)
      expectation.positives += hits
      expectation.negatives += misses
      if score >= threshold {
        expectation.truePositives += hits
        expectation.falsePositives += misses
      }
    }
    if expectation.positives > 0, expectation.negatives > 0 {
      expectation.areaUnderCurve = area / expectation.positives / expectation.negatives
    }
    return expectation
  }

  /// What the confusion matrix is expected to be (NannyML's CBPE, by bins).
  package struct Expectation: Sendable, Equatable {
    package var truePositives = 0.0
    package var falsePositives = 0.0
    package var positives = 0.0
    package var negatives = 0.0
    package var areaUnderCurve: Double?

    package var precision: Double? { Self.ratio(truePositives, truePositives + falsePositives) }
    package var recall: Double? { Self.ratio(truePositives, positives) }
    package var accuracy: Double? {
      Self.ratio(truePositives + negatives - falsePositives, positives + negatives)
    }
    package var f1: Double? { Self.ratio(2 * truePositives, truePositives + falsePositives + positives) }

    private static func ratio(_ part: Double, _ whole: Double) -> Double? { whole > 0 ? part / whole : nil }
  }
}

extension ScoreHistogram {
  package func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: counts.count))
    for (bin, count) in counts.sorted(by: { $0.key < $1.key }) {
      writer.number(UInt16(clamping: bin))
      writer.number(UInt64(clamping: count))
    }
  }

  /// - Parameter bins: pairs of a bin and its count; those that no score has are left out.
  package init(_ bins: [(bin: Int, count: Int)]) {
    for (bin, count) in bins where (0..<BinaryAccumulator.binCount).contains(bin) && count > 0 { counts[bin] = count }
  }
}
