package import Core

/// Counts what becomes of a model's probabilities once labels are known: mergeable, and a function of the set of
/// (score, label) pairs alone.
///
/// Scores fall into 4,096 bins of equal width over [0, 1]. Log loss, Brier score and the sums for calibration are exact
/// but for one rounding of each term; AUC has the bound that `AUCEstimate` states; precision, recall and F1 are exact
/// at thresholds k/4096.
package struct BinaryAccumulator: Sendable, Equatable {
  package static let binCount = 4_096

  /// Labels 0 and 1 in each bin.
  package private(set) var negatives = [Int](repeating: 0, count: binCount)
  package private(set) var positives = [Int](repeating: 0, count: binCount)
  /// Scores that are no probability, and labels that are missing: counted and left out.
  package private(set) var invalidCount = 0
  private var logLoss = ExactSum()
  private var squaredLogLoss = ExactSum()
  private var brier = ExactSum()
  private var squaredBrier = ExactSum()
  /// Sums of the scores in groups of bins, for calibration.
  private var scoreSums = [ExactSum](repeating: ExactSum(), count: calibrationGroups)

  private static let calibrationGroups = 64

  package init() {}

  /// Adds a scored event whose label is known. A score outside of [0, 1] or NaN is counted as invalid.
  package mutating func add(score: Double, label: Bool) {
    guard score >= 0, score <= 1 else {
      invalidCount += 1
      return
    }
    let bin = Self.bin(score)
    if label { positives[bin] += 1 } else { negatives[bin] += 1 }
    scoreSums[bin / (Self.binCount / Self.calibrationGroups)].add(score)
    let loss = BinaryScores.logLoss(score, label)
    logLoss.add(loss)
    squaredLogLoss.addSquare(loss)
    let error = label ? 1 - score : score
    brier.addSquare(error)
    squaredBrier.addSquare(error * error)
  }

  /// The bin of a probability: ⌊4096 p⌋, and the last one for 1.
  static func bin(_ score: Double) -> Int { min(Int(score * Double(binCount)), binCount - 1) }

  package mutating func merge(_ other: BinaryAccumulator) {
    for bin in negatives.indices {
      negatives[bin] += other.negatives[bin]
      positives[bin] += other.positives[bin]
    }
    invalidCount += other.invalidCount
    logLoss.merge(other.logLoss)
    squaredLogLoss.merge(other.squaredLogLoss)
    brier.merge(other.brier)
    squaredBrier.merge(other.squaredBrier)
    for group in scoreSums.indices { scoreSums[group].merge(other.scoreSums[group]) }
  }

  package var count: Int { negativeCount + positiveCount }
  package var negativeCount: Int { negatives.reduce(0, +) }
  package var positiveCount: Int { positives.reduce(0, +) }
}

extension BinaryAccumulator {
  /// Mean of -ln p of the label, scores clipped to [2⁻⁵², 1 - 2⁻⁵²] as in scikit-learn; interval by the normal
  /// distribution. Nil without labels.
  package func logLoss(confidence: Double = 0.95) -> Interval? {
    Interval.mean(logLoss, squares: squaredLogLoss, count: count, confidence: confidence)
  }

  /// Mean squared error of the probability.
  package func brierScore(confidence: Double = 0.95) -> Interval? {
    Interval.mean(brier, squares: squaredBrier, count: count, confidence: confidence)
  }

  /// Counts at a threshold: a score at or above it is a positive prediction. The threshold is rounded to k/4096.
  package func confusion(threshold: Double) -> Confusion {
    let bin = min(max(Int((threshold * Double(Self.binCount)).rounded()), 0), Self.binCount)
    return Confusion(
      truePositives: positives[bin...].reduce(0, +), falsePositives: negatives[bin...].reduce(0, +),
      trueNegatives: negatives[..<bin].reduce(0, +), falseNegatives: positives[..<bin].reduce(0, +))
  }

  /// Area under the ROC curve with the bound of the bins and DeLong's interval; nil while a class has no event.
  package func areaUnderCurve(confidence: Double = 0.95) -> AUCEstimate? {
    AUCEstimate(negatives: negatives, positives: positives, confidence: confidence)
  }

  /// Groups of equal width with mean score and share of positives; groups without events are left out.
  ///
  /// - Parameter groupCount: a divisor of 64.
  package func calibration(groupCount: Int = 16) -> Calibration? {
    guard count > 0, groupCount > 0, Self.calibrationGroups % groupCount == 0 else { return nil }
    let each = Self.calibrationGroups / groupCount
    let bins = Self.binCount / groupCount
    let groups = (0..<groupCount).compactMap { group -> Calibration.Group? in
      let hits = positives[group * bins..<(group + 1) * bins].reduce(0, +)
      let size = hits + negatives[group * bins..<(group + 1) * bins].reduce(0, +)
      guard size > 0 else { return nil }
      var sum = ExactSum()
      for part in scoreSums[group * each..<(group + 1) * each] { sum.merge(part) }
      return .init(count: size, meanScore: sum.rounded / Double(size), positiveCount: hits)
    }
    return Calibration(groups: groups)
  }
}

extension BinaryAccumulator {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.binaryScores)
    let used = (0..<Self.binCount).filter { negatives[$0] > 0 || positives[$0] > 0 }
    writer.append(count: invalidCount)
    writer.append(count: used.count)
    for (index, bin) in used.enumerated() {
      writer.append(count: index == 0 ? bin : bin - used[index - 1])
      writer.append(count: negatives[bin])
      writer.append(count: positives[bin])
    }
    for sum in [logLoss, squaredLogLoss, brier, squaredBrier] + scoreSums { sum.write(to: &writer) }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in
      var reader = try SketchReader(bytes[...], .binaryScores)
      var accumulator = BinaryAccumulator()
      accumulator.invalidCount = try reader.count()
      var bin = 0
      for index in 0..<(try reader.elementCount(bytesEach: 3)) {
        let step = try reader.count()
        guard step < Self.binCount - bin, step > 0 || index == 0 else { throw .notCanonical("bins") }
        bin += step
        accumulator.negatives[bin] = try reader.count()
        accumulator.positives[bin] = try reader.count()
        guard accumulator.negatives[bin] > 0 || accumulator.positives[bin] > 0 else { throw .notCanonical("bins") }
      }
      accumulator.logLoss = try ExactSum(from: &reader)
      accumulator.squaredLogLoss = try ExactSum(from: &reader)
      accumulator.brier = try ExactSum(from: &reader)
      accumulator.squaredBrier = try ExactSum(from: &reader)
      for group in accumulator.scoreSums.indices { accumulator.scoreSums[group] = try ExactSum(from: &reader) }
      try reader.finish()
      return accumulator
    }
  }
}
