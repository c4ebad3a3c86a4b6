internal import Core
internal import Drift

// Predictions beside labels.
extension MonitorState {
  /// Closes windows whose labels have all come, as far as they are waited for.
  mutating func closeLabels(_ reached: Int64, _ results: inout [MonitorResult]) {
    guard let label = definition.label else { return }
    let labelled = labelWatermark.subtractingClamped(label.latenessMilliseconds)
    let time = min(reached, labelled).subtractingClamped(label.withinMilliseconds)
    for window in labels.predictions.keys.sorted() {
      guard window > closedLabels, (window + 1).multipliedClamped(definition.windowMilliseconds) <= time else { break }
      closedLabels = window
      results += performance(window, label)
    }
    if time > .min {
      results += digest(upTo: lastWindowEnd(upTo: time), isOfLabels: true)
      let oldest = labels.predictions.keys.min() ?? floorDivide(time, definition.windowMilliseconds)
      labels.forget(beforeMilliseconds: oldest.multipliedClamped(definition.windowMilliseconds))
    }
  }

  private mutating func performance(_ window: Int64, _ label: MonitorDefinition.Label) -> [MonitorResult] {
    let pairs = labels.close(window: window, withinMilliseconds: label.withinMilliseconds)
    var all = LabelledRows(label)
    var segments: [UInt32: LabelledRows] = [:]
    for (prediction, truth) in pairs {
      all.add(prediction.score, truth)
      for segment in prediction.segments {
        segments[segment, default: LabelledRows(label)].add(prediction.score, truth)
      }
    }
    if label.isBinary, all.binary.positiveCount > 0, all.binary.negativeCount > 0 { calibration = all.binary }
    let versions = labelledVersions[window] ?? [:]
    labelledVersions = labelledVersions.filter { $0.key > window }
    let place = self.window(window, rowCount: pairs.count, versions: versions)
    let sampled = 1 << labels.level
    var results = digest(upTo: place.startMilliseconds, isOfLabels: true)
    results.append(result(place, .performance(all.result(nil, definition, sampledOneIn: sampled))))
    results += judgeLabels(window, pairs.compactMap(\.label), label)
    results += digest(upTo: place.endMilliseconds, isOfLabels: true)
    let largest = segments.sorted { ($1.value.predictionCount, $0.key) < ($0.value.predictionCount, $1.key) }
    for (segment, rows) in largest.prefix(Self.performanceSegments) {
      guard names.names.indices.contains(Int(segment)), rows.labelledCount > 0 else { continue }
      results.append(
        result(
          place, .performance(rows.result(names.names[Int(segment)], definition, sampledOneIn: sampled))))
    }
    return results
  }

  private static let performanceSegments = 16

  /// What performance may be, by the calibration of the last labelled window.
  func estimates(_ open: OpenWindow, _ window: Int64) -> [MonitorResult] {
    guard let label = definition.label, label.isBinary,
      let calibration = calibration.flatMap({ IsotonicCalibration($0) })
    else { return [] }
    let expectation = open.scores.expectation(calibration, threshold: label.threshold)
    var estimate = PerformanceResult(predictionCount: open.rowCount, labelledCount: 0)
    let figures: [(String, Double?)] = [
      ("auc", expectation.areaUnderCurve), ("accuracy", expectation.accuracy), ("precision", expectation.precision),
      ("recall", expectation.recall), ("f1", expectation.f1),
    ]
    for (metric, value) in figures {
      guard let value else { continue }
      estimate.figures.append(.init(metric: metric, interval: Interval(value: value, lower: value, upper: value)))
    }
    guard !estimate.figures.isEmpty else { return [] }
    return [
      result(self.window(window, rowCount: open.rowCount, offsets: open.offsets), .estimate(estimate))
    ]
  }
}

/// Rows of one window, or of one of its segments, with what became of them.
private struct LabelledRows {
  private let label: MonitorDefinition.Label
  private(set) var predictionCount = 0
  private(set) var binary = BinaryAccumulator()
  private var numbers = RegressionAccumulator()
  /// All of them: what depends on the order of scores is exact.
  private var scores: [(score: Double, label: Bool)] = []

  init(_ label: MonitorDefinition.Label) { self.label = label }

  var labelledCount: Int { label.isBinary ? binary.count : numbers.count }

  mutating func add(_ score: Double, _ truth: Double?) {
    predictionCount += 1
    guard let truth else { return }
    if label.isBinary {
      binary.add(score: score, label: truth >= 0.5)
      scores.append((score, truth >= 0.5))
    } else {
      numbers.add(prediction: score, truth: truth)
    }
  }

  func result(_ segment: String?, _ definition: MonitorDefinition, sampledOneIn: Int) -> PerformanceResult {
    var result = PerformanceResult(
      segment: segment, predictionCount: predictionCount, labelledCount: labelledCount, sampledOneIn: sampledOneIn)
    for (metric, interval) in label.isBinary ? binaryFigures : numberFigures {
      guard let interval else { continue }
      result.figures.append(.init(metric: metric, interval: interval))
    }
    guard labelledCount >= definition.minimumRowCount else { return result }
    for bound in definition.bounds {
      guard let interval = result[bound.metric], bound.isBroken(by: interval.value) else { continue }
      // The whole interval is on the wrong side: no matter of chance.
      let best = bound.minimum.map { interval.value < $0 } ?? false ? interval.upper : interval.lower
      if bound.isBroken(by: best) { result.brokenBounds.append(bound.metric) }
    }
    return result
  }

  private var binaryFigures: [(String, Interval?)] {
    let exact = BinaryScores(scores)
    let confusion = exact.confusion(threshold: label.threshold)
    return [
      ("auc", exact.areaUnderCurve()?.interval), ("average_precision", exact.averagePrecision.map(point)),
      ("log_loss", binary.logLoss()), ("brier", binary.brierScore()),
      ("calibration_error", binary.calibration().map { point($0.expectedError) }),
      ("accuracy", confusion.accuracy()), ("precision", confusion.precision()), ("recall", confusion.recall()),
      ("f1", confusion.f1()),
      ("label_rate", Interval.share(binary.positiveCount, of: binary.count)),
    ]
  }

  private var numberFigures: [(String, Interval?)] {
    [
      ("mae", numbers.meanAbsoluteError()), ("rmse", numbers.rootMeanSquareError()), ("bias", numbers.bias()),
      ("r2", numbers.determination.map(point)),
    ]
  }

  private func point(_ value: Double) -> Interval { Interval(value: value, lower: value, upper: value) }
}
