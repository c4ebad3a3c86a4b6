internal import Drift

/// Areas under the ROC curves of two models on the same rows, and the interval of their difference.
///
/// DeLong, DeLong, Clarke-Pearson (1988), with the structural components found by ranks (Sun, Xu 2014).
struct PairedAreas {
  let first: Double
  let second: Double
  let standardError: Double

  /// - Returns: nil while a class has no row.
  init?(_ labels: [Float], _ first: [Double], _ second: [Double]) {
    guard let left = Components(labels, first), let right = Components(labels, second) else { return nil }
    self.first = left.area
    self.second = right.area
    var variance = 0.0
    for (a, b) in [(left.positives, right.positives), (left.negatives, right.negatives)] where a.count > 1 {
      // The variance of the difference: one subtraction before the squares loses nothing.
      let differences = zip(a, b).map { $0 - $1 }
      let mean = differences.reduce(0, +) / Double(differences.count)
      let squares = differences.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) }
      variance += squares / Double(differences.count - 1) / Double(differences.count)
    }
    standardError = variance.squareRoot()
  }

  func difference(confidence: Double) -> (value: Double, low: Double, high: Double) {
    let reach = NormalDistribution.quantile(0.5 + confidence / 2) * standardError
    return (first - second, first - second - reach, first - second + reach)
  }

  /// For each row the share of the other class that it is on the right side of, ties half.
  private struct Components {
    var positives: [Double] = []
    var negatives: [Double] = []
    var area = 0.0

    init?(_ labels: [Float], _ scores: [Double]) {
      let order = scores.indices.sorted { scores[$0] < scores[$1] }
      let positiveCount = labels.count { $0 == 1 }
      let negativeCount = labels.count - positiveCount
      guard positiveCount > 0, negativeCount > 0 else { return nil }
      var shares = [Double](repeating: 0, count: labels.count)
      var (negativesBelow, positivesBelow) = (0, 0)
      var start = 0
      while start < order.count {
        var end = start
        while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
        let positivesHere = order[start..<end].count { labels[$0] == 1 }
        let negativesHere = end - start - positivesHere
        let beaten = (Double(negativesBelow) + Double(negativesHere) / 2) / Double(negativeCount)
        let beatenBy =
          (Double(positiveCount - positivesBelow - positivesHere) + Double(positivesHere) / 2) / Double(positiveCount)
        for row in order[start..<end] { shares[row] = labels[row] == 1 ? beaten : beatenBy }
        negativesBelow += negativesHere
        positivesBelow += positivesHere
        start = end
      }
      // In the order of the rows, so that two models' components belong together.
      for row in labels.indices {
        if labels[row] == 1 { positives.append(shares[row]) } else { negatives.append(shares[row]) }
      }
      area = positives.reduce(0, +) / Double(positiveCount)
    }
  }
}
