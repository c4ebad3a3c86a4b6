internal import Drift

/// Metrics of one model on some rows.
struct Figures {
  let objective: TrainingObjective
  let confidence: Double
  let threshold: Double
  let width: Int

  func metrics(_ labels: [Float], _ scores: [Double]) -> [EvaluationReport.Metric] {
    switch objective {
    case .binary: binary(labels, scores)
    case .multiclass: multiclass(labels, scores)
    case .regression: regression(labels, scores)
    }
  }

  private func binary(_ labels: [Float], _ scores: [Double]) -> [EvaluationReport.Metric] {
    var accumulator = BinaryAccumulator()
    for (label, score) in zip(labels, scores) { accumulator.add(score: score, label: label == 1) }
    let exact = BinaryScores(zip(labels, scores).map { ($1, $0 == 1) })
    // Counted from the scores: the accumulator rounds thresholds.
    var counts = (hits: 0, falseAlarms: 0, misses: 0, rejections: 0)
    for (label, score) in zip(labels, scores) {
      switch (score >= threshold, label == 1) {
      case (true, true): counts.hits += 1
      case (true, false): counts.falseAlarms += 1
      case (false, true): counts.misses += 1
      case (false, false): counts.rejections += 1
      }
    }
    let confusion = Confusion(
      truePositives: counts.hits, falsePositives: counts.falseAlarms, trueNegatives: counts.rejections,
      falseNegatives: counts.misses)
    var metrics: [EvaluationReport.Metric] = []
    for (name, interval) in [
      ("auc", exact.areaUnderCurve(confidence: confidence)?.interval),
      ("log_loss", accumulator.logLoss(confidence: confidence)),
      ("brier", accumulator.brierScore(confidence: confidence)),
      ("accuracy", confusion.accuracy(confidence: confidence)),
      ("precision", confusion.precision(confidence: confidence)),
      ("recall", confusion.recall(confidence: confidence)),
      ("f1", confusion.f1(confidence: confidence)),
    ] {
      guard let interval else { continue }
      metrics.append(.init(name, interval))
    }
    metrics += Influence.binary(labels: labels, scores: scores, threshold: threshold)
      .filter { $0.metric == "average_precision" }.map { metric($0) }
    if let calibration = accumulator.calibration() {
      metrics.append(.init(name: "calibration_error", value: calibration.expectedError))
    }
    return metrics
  }

  private func multiclass(_ labels: [Float], _ scores: [Double]) -> [EvaluationReport.Metric] {
    let losses = RowLosses(.multiclass, labels: labels, scores: scores, width: width, threshold: threshold)
    return losses.terms.compactMap { term in
      let zeros = [Double](repeating: 0, count: term.values.count)
      guard let mean = PairedMeans.difference(term.values, zeros, confidence: confidence) else { return nil }
      guard term.metric == "accuracy" else {
        return .init(name: term.metric, value: mean.value, low: mean.low, high: mean.high)
      }
      return Interval.share(term.values.count { $0 == 1 }, of: term.values.count, confidence: confidence)
        .map { .init(term.metric, $0) }
    }
  }

  private func regression(_ labels: [Float], _ scores: [Double]) -> [EvaluationReport.Metric] {
    var accumulator = RegressionAccumulator()
    for (label, score) in zip(labels, scores) { accumulator.add(prediction: score, truth: Double(label)) }
    var metrics: [EvaluationReport.Metric] = []
    for (name, interval) in [
      ("mae", accumulator.meanAbsoluteError(confidence: confidence)),
      ("rmse", accumulator.rootMeanSquareError(confidence: confidence)),
      ("bias", accumulator.bias(confidence: confidence)),
    ] {
      guard let interval else { continue }
      metrics.append(.init(name, interval))
    }
    if let determination = Influence.determination(labels: labels, scores: scores) {
      metrics.append(metric(determination))
    }
    return metrics
  }

  private func metric(_ influence: Influence) -> EvaluationReport.Metric {
    let interval = influence.interval(confidence: confidence)
    return .init(
      name: influence.metric, value: influence.value, low: interval.flatMap { $0.low.isFinite ? $0.low : nil },
      high: interval.flatMap { $0.high.isFinite ? $0.high : nil })
  }
}

extension EvaluationReport.Metric {
  init(_ name: String, _ interval: Interval) {
    self.init(
      name: name, value: interval.value, low: interval.lower.isFinite ? interval.lower : nil,
      high: interval.upper.isFinite ? interval.upper : nil)
  }
}
