internal import Glibc

/// What each row costs a model: the terms whose mean is a metric.
struct RowLosses {
  /// By metric, in the order of the report.
  let terms: [(metric: String, higherIsBetter: Bool, values: [Double])]

  init(
    _ objective: TrainingObjective, labels: [Float], scores: [Double], width: Int, threshold: Double
  ) {
    switch objective {
    case .binary:
      terms = [
        ("log_loss", false, zip(labels, scores).map { Self.logLoss($0 == 1 ? $1 : 1 - $1) }),
        ("brier", false, zip(labels, scores).map { (Double($0) - $1) * (Double($0) - $1) }),
        ("accuracy", true, zip(labels, scores).map { ($1 >= threshold) == ($0 == 1) ? 1 : 0 }),
      ]
    case .multiclass:
      var (losses, squares, hits): ([Double], [Double], [Double]) = ([], [], [])
      for row in labels.indices {
        let own = scores[row * width..<(row + 1) * width]
        let label = Int(labels[row])
        losses.append(Self.logLoss(label < width ? own[own.startIndex + label] : 0))
        squares.append(
          own.indices.reduce(0.0) { sum, index in
            let error = own[index] - (index - own.startIndex == label ? 1 : 0)
            return sum + error * error
          })
        // Of equals the first one.
        let best = own.indices.reduce(own.startIndex) { own[$1] > own[$0] ? $1 : $0 } - own.startIndex
        hits.append(best == label ? 1 : 0)
      }
      terms = [("log_loss", false, losses), ("brier", false, squares), ("accuracy", true, hits)]
    case .regression:
      let errors = zip(labels, scores).map { $1 - Double($0) }
      terms = [("mae", false, errors.map(\.magnitude)), ("mse", false, errors.map { $0 * $0 })]
    }
  }

  /// -ln p, clipped as in scikit-learn.
  private static func logLoss(_ probability: Double) -> Double {
    -log(min(max(probability, .ulpOfOne), 1 - .ulpOfOne))
  }
}
