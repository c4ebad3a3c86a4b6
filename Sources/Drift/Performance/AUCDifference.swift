/// The areas under the ROC curves of two scores of the same events, and how far they differ: what one model gains over
/// another one, with DeLong's interval for paired curves (1988; by ranks, Sun and Xu 2014).
package struct AUCDifference: Sendable, Equatable {
  package var first: Double
  package var second: Double
  /// First minus second.
  package var interval: Interval
  package var standardError: Double

  package var value: Double { interval.value }

  /// Of so large a difference between curves that are equal, two-sided; 1 where both always agree.
  package var pValue: Double {
    guard standardError > 0 else { return value == 0 ? 1 : 0 }
    return NormalDistribution.twoSided(value / standardError)
  }

  /// - Parameters: one label and two scores for each event; events with a NaN score are left out.
  /// - Returns: nil while a class has no event, or where the counts differ.
  package init?(labels: [Bool], first: [Double], second: [Double], confidence: Double = 0.95) {
    guard labels.count == first.count, labels.count == second.count else { return nil }
    let events = labels.indices.filter { !first[$0].isNaN && !second[$0].isNaN }
    let kept = events.map { labels[$0] }
    let positiveCount = kept.count(where: \.self)
    let negativeCount = kept.count - positiveCount
    guard positiveCount > 0, negativeCount > 0 else { return nil }
    let shares = (
      Self.beatenShares(kept, events.map { first[$0] }), Self.beatenShares(kept, events.map { second[$0] })
    )
    var (positives, negatives) = (SpreadOfDifferences(), SpreadOfDifferences())
    for index in kept.indices {
      if kept[index] {
        positives.add(shares.0[index], shares.1[index])
      } else {
        negatives.add(shares.0[index], shares.1[index])
      }
    }
    self.first = positives.firstMean
    self.second = positives.secondMean
    standardError = (positives.varianceOfMean + negatives.varianceOfMean).squareRoot()
    interval = Interval.normal(self.first - self.second, standardError: standardError, confidence: confidence)
  }

  /// For each event the share of the other class that it is on the right side of, ties half: DeLong's structural
  /// components.
  private static func beatenShares(_ labels: [Bool], _ scores: [Double]) -> [Double] {
    let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    let positiveCount = Double(labels.count(where: \.self))
    let negativeCount = Double(labels.count) - positiveCount
    var shares = [Double](repeating: 0, count: labels.count)
    var (positivesBelow, negativesBelow) = (0.0, 0.0)
    var place = 0
    while place < order.count {
      var end = place
      var (positives, negatives) = (0.0, 0.0)
      while end < order.count, scores[order[end]] == scores[order[place]] {
        if labels[order[end]] { positives += 1 } else { negatives += 1 }
        end += 1
      }
      for index in order[place..<end] {
        shares[index] =
          labels[index]
          ? (negativesBelow + negatives / 2) / negativeCount
          : (positiveCount - positivesBelow - positives / 2) / positiveCount
      }
      positivesBelow += positives
      negativesBelow += negatives
      place = end
    }
    return shares
  }
}

/// Means of two figures over events, and the variance of the mean of their difference.
private struct SpreadOfDifferences {
  private var count = 0.0
  private var sums = (first: ExactSum(), second: ExactSum(), squares: ExactSum())

  mutating func add(_ first: Double, _ second: Double) {
    count += 1
    sums.first.add(first)
    sums.second.add(second)
    sums.squares.addSquare(first - second)
  }

  var firstMean: Double { sums.first.rounded / count }
  var secondMean: Double { sums.second.rounded / count }

  var varianceOfMean: Double {
    guard count > 1 else { return 0 }
    let mean = firstMean - secondMean
    return max(sums.squares.rounded - count * mean * mean, 0) / (count - 1) / count
  }
}
