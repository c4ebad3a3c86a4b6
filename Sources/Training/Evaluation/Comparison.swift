internal import Drift

/// One model minus another one, on the same rows.
struct Comparison {
  let objective: TrainingObjective
  let confidence: Double
  let threshold: Double
  let width: Int

  func differences(
    _ labels: [Float], _ scores: [Double], minus others: [Double], of other: ModelEvaluation.Subject
  ) -> [EvaluationReport.Difference] {
    var found: [EvaluationReport.Difference] = []
    func add(
      _ metric: String, _ difference: (value: Double, low: Double, high: Double)?, _ method: String,
      higherIsBetter: Bool
    ) {
      guard let difference else { return }
      found.append(
        .init(
          metric: metric, against: other.name, role: other.role, value: difference.value, low: difference.low,
          high: difference.high, method: method, higherIsBetter: higherIsBetter))
    }
    if objective == .binary {
      let areas = AUCDifference(
        labels: labels.map { $0 == 1 }, first: scores, second: others, confidence: confidence)?.interval
      add("auc", areas.map { ($0.value, $0.lower, $0.upper) }, "delong", higherIsBetter: true)
    }
    for (influence, other) in influences(labels, scores, others) {
      add(influence.metric, influence.minus(other, confidence: confidence), "delta", higherIsBetter: true)
    }
    let own = RowLosses(objective, labels: labels, scores: scores, width: width, threshold: threshold)
    let theirs = RowLosses(objective, labels: labels, scores: others, width: width, threshold: threshold)
    for (term, other) in zip(own.terms, theirs.terms) {
      let difference = PairedMeans.difference(term.values, other.values, confidence: confidence)
      guard term.metric == "mse" else {
        add(term.metric, difference, "paired_normal", higherIsBetter: term.higherIsBetter)
        continue
      }
      add("rmse", Self.ofRoots(term.values, other.values, confidence: confidence), "delta", higherIsBetter: false)
    }
    return found
  }

  /// √(mean of squares) - √(mean of others), by the delta method: a square moves its own root by 1 / (2 root).
  private static func ofRoots(
    _ squares: [Double], _ others: [Double], confidence: Double
  ) -> (value: Double, low: Double, high: Double)? {
    func root(_ squares: [Double]) -> Double {
      (squares.reduce(0, +) / Double(max(squares.count, 1))).squareRoot()
    }
    // A root of zero is one of zeros, which move nothing.
    func moves(_ squares: [Double], of root: Double) -> [Double] { squares.map { root > 0 ? $0 / (2 * root) : 0 } }
    let (own, other) = (root(squares), root(others))
    let moves = PairedMeans.difference(moves(squares, of: own), moves(others, of: other), confidence: confidence)
    return moves.map { (own - other, own - other + $0.low - $0.value, own - other + $0.high - $0.value) }
  }

  /// Figures that both models have.
  private func influences(
    _ labels: [Float], _ scores: [Double], _ others: [Double]
  ) -> [(own: Influence, other: Influence)] {
    let (own, theirs): ([Influence], [Influence])
    switch objective {
    case .binary:
      own = Influence.binary(labels: labels, scores: scores, threshold: threshold)
      theirs = Influence.binary(labels: labels, scores: others, threshold: threshold)
    case .regression:
      own = [Influence.determination(labels: labels, scores: scores)].compactMap(\.self)
      theirs = [Influence.determination(labels: labels, scores: others)].compactMap(\.self)
    case .multiclass: return []
    }
    return own.compactMap { influence in
      theirs.first { $0.metric == influence.metric }.map { (influence, $0) }
    }
  }
}
