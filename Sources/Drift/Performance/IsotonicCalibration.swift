/// Turns scores into probabilities: the rising step function that is nearest to the labels, with straight lines
/// between its points, as scikit-learn's isotonic regression.
package struct IsotonicCalibration: Sendable, Equatable {
  /// Scores, rising, and their probabilities.
  package let scores: [Double]
  package let probabilities: [Double]

  /// - Returns: nil without any finite score.
  package init?(_ pairs: [(score: Double, label: Bool)]) {
    var points: [(score: Double, total: Double, weight: Double)] = []
    for (score, label) in pairs.filter(\.score.isFinite).sorted(by: { $0.score < $1.score }) {
      if points.last?.score != score { points.append((score, 0, 0)) }
      points[points.count - 1].total += label ? 1 : 0
      points[points.count - 1].weight += 1
    }
    self.init(points)
  }

  /// From scores in bins: each bin by its middle. Nil without labels.
  package init?(_ labelled: BinaryAccumulator) {
    self.init(
      (0..<BinaryAccumulator.binCount).compactMap { bin in
        let (hits, misses) = (labelled.positives[bin], labelled.negatives[bin])
        guard hits + misses > 0 else { return nil }
        let score = (Double(bin) + 0.5) / Double(BinaryAccumulator.binCount)
        return (score, Double(hits), Double(hits + misses))
      })
  }

  private init?(_ points: [(score: Double, total: Double, weight: Double)]) {
    guard !points.isEmpty else { return nil }
    // Neighbours that fall are pooled until nothing falls (Ayer and others 1955).
    var pools: [(total: Double, weight: Double, points: Int)] = []
    for point in points {
      pools.append((point.total, point.weight, 1))
      while pools.count > 1 {
        let (left, right) = (pools[pools.count - 2], pools[pools.count - 1])
        // left / leftWeight ≥ right / rightWeight, without a division.
        guard left.total * right.weight >= right.total * left.weight else { break }
        pools.removeLast()
        pools[pools.count - 1] = (left.total + right.total, left.weight + right.weight, left.points + right.points)
      }
    }
    scores = points.map(\.score)
    probabilities = pools.flatMap { pool in [Double](repeating: pool.total / pool.weight, count: pool.points) }
  }

  /// Scores outside of those that were learned from get the probability of the nearest one.
  package func probability(_ score: Double) -> Double {
    let above = scores.partitioningIndex { $0 >= score }
    if above == scores.count { return probabilities[above - 1] }
    if above == 0 || scores[above] == score { return probabilities[above] }
    let (low, high) = (scores[above - 1], scores[above])
    let part = (score - low) / (high - low)
    return probabilities[above - 1] + part * (probabilities[above] - probabilities[above - 1])
  }
}
