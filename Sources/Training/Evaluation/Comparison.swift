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
      // √a - √b = (a - b) / (√a + √b), the denominator taken as it is: the delta method.
      let count = Double(max(term.values.count, 1))
      let sum =
        (term.values.reduce(0, +) / count).squareRoot() + (other.values.reduce(0, +) / count).squareRoot()
      guard sum > 0 else { continue }
      add("rmse", difference.map { ($0.value / sum, $0.low / sum, $0.high / sum) }, "delta", higherIsBetter: false)
    }
    return found
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
