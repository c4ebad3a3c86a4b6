/// Figures that are no mean over rows, with what each row does to them: intervals by the delta method, also of the
/// difference of two models on the same rows.
///
/// The influence of a row is how fast the figure moves when the row weighs more (Hampel 1974; for ratios this is the
/// delta method, for many rows it is what a jackknife finds). The mean of the influences is zero, and their variance
/// over the number of rows is that of the figure.
struct Influence: Sendable {
  var metric: String
  var value: Double
  /// Of each row.
  var rows: [Double]
  /// What the figure can be at all.
  var range: ClosedRange<Double> = 0...1

  /// The interval of the figure alone.
  func interval(confidence: Double) -> (low: Double, high: Double)? {
    reach([Double](repeating: 0, count: rows.count), confidence).map {
      (max(value - $0, range.lowerBound), min(value + $0, range.upperBound))
    }
  }

  /// This model minus another one, on the same rows.
  func minus(_ other: Influence, confidence: Double) -> (value: Double, low: Double, high: Double)? {
    reach(other.rows, confidence).map { (value - other.value, value - other.value - $0, value - other.value + $0) }
  }

  private func reach(_ others: [Double], _ confidence: Double) -> Double? {
    PairedMeans.difference(rows, others, confidence: confidence).map { $0.high - $0.value }
  }
}

extension Influence {
  /// Precision, recall, F1 and average precision, as far as they have a value.
  static func binary(labels: [Float], scores: [Double], threshold: Double) -> [Influence] {
    let truths = labels.map { $0 == 1 ? 1.0 : 0 }
    let said = scores.map { $0 >= threshold ? 1.0 : 0 }
    let hits = zip(truths, said).map { $0 * $1 }
    let both = zip(truths, said).map { ($0 + $1) / 2 }
    return [
      ratio("precision", hits, said), ratio("recall", hits, truths), ratio("f1", hits, both),
      averagePrecision(truths, scores),
    ].compactMap(\.self)
  }

  /// The share of a number's variance that is foretold.
  static func determination(labels: [Float], scores: [Double]) -> Influence? {
    let count = Double(labels.count)
    guard count > 1 else { return nil }
    let mean = labels.reduce(0.0) { $0 + Double($1) } / count
    let squares = labels.map { (Double($0) - mean) * (Double($0) - mean) }
    let errors = zip(labels, scores).map { ($1 - Double($0)) * ($1 - Double($0)) }
    let variance = squares.reduce(0, +) / count
    guard variance > 0 else { return nil }
    let unexplained = errors.reduce(0, +) / count / variance
    return Influence(
      metric: "r2", value: 1 - unexplained,
      rows: zip(errors, squares).map { -($0 - unexplained * $1) / variance },
      range: -.greatestFiniteMagnitude...1)
  }

  /// Σ hits / Σ whole; nil of nothing.
  private static func ratio(_ metric: String, _ hits: [Double], _ whole: [Double]) -> Influence? {
    let sum = whole.reduce(0, +)
    guard sum > 0 else { return nil }
    let value = hits.reduce(0, +) / sum
    let mean = sum / Double(whole.count)
    return Influence(metric: metric, value: value, rows: zip(hits, whole).map { ($0 - value * $1) / mean })
  }

  /// The mean, over the rows that are true, of the precision at their scores: Σ (R_k - R_{k-1}) P_k, as scikit-learn.
  ///
  /// With y the truth, G(s) the share of rows that score s or more, p(s) the precision there and π the share of true
  /// rows, a row's influence is (y (p(s) - A) + Σ_{t ≤ s} y_t (y - p(t)) / (n G(t))) / π.
  private static func averagePrecision(_ truths: [Double], _ scores: [Double]) -> Influence? {
    let count = Double(truths.count)
    let trueCount = truths.reduce(0, +)
    guard trueCount > 0, !scores.contains(where: \.isNaN) else { return nil }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    // From the highest score down: precision and share at each score, the same for all that share it.
    var precision = [Double](repeating: 0, count: order.count)
    var share = precision
    var (taken, hits, first) = (0.0, 0.0, 0)
    while first < order.count {
      var end = first
      while end < order.count, scores[order[end]] == scores[order[first]] {
        taken += 1
        hits += truths[order[end]]
        end += 1
      }
      for place in first..<end {
        precision[order[place]] = hits / taken
        share[order[place]] = taken / count
      }
      first = end
    }
    let value = order.reduce(0.0) { $0 + truths[$1] * precision[$1] } / trueCount
    var rows = precision
    var (weights, weighted) = (0.0, 0.0)
    var last = order.count
    while last > 0 {
      var start = last
      while start > 0, scores[order[start - 1]] == scores[order[last - 1]] {
        start -= 1
        let row = order[start]
        weights += truths[row] / share[row] / count
        weighted += truths[row] * precision[row] / share[row] / count
      }
      for place in start..<last {
        let row = order[place]
        rows[row] =
          (truths[row] * (precision[row] - value) + truths[row] * weights - weighted) * count / trueCount
      }
      last = start
    }
    return Influence(metric: "average_precision", value: value, rows: rows)
  }
}
