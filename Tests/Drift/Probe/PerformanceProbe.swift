internal import Drift

enum PerformanceProbe {
  /// `scores FILE THRESHOLD`: columns `score,label`; by all values and by accumulators that were merged in parts.
  static func scores(_ arguments: [String]) throws {
    guard arguments.count == 2, let threshold = Double(arguments[1]) else {
      throw ProbeError(message: "scores FILE THRESHOLD")
    }
    let table = try Table(arguments[0])
    let pairs = zip(try table.numbers("score"), try table.numbers("label")).map { (score: $0, label: $1 == 1) }
    if let exact = BinaryScores(pairs).areaUnderCurve() {
      answer("auc", exact.value)
      answer("auc_variance", exact.standardError * exact.standardError)
    }
    var accumulator = BinaryAccumulator()
    for start in stride(from: 0, to: pairs.count, by: 997) {
      var part = BinaryAccumulator()
      for pair in pairs[start..<min(start + 997, pairs.count)] { part.add(score: pair.score, label: pair.label) }
      accumulator.merge(try BinaryAccumulator(decoding: part.encoded))
    }
    if let binned = accumulator.areaUnderCurve() {
      answer("auc_lower", binned.estimate.lowerBound)
      answer("auc_upper", binned.estimate.upperBound)
      answer("auc_binned_variance", binned.standardError * binned.standardError)
    }
    let confusion = accumulator.confusion(threshold: threshold)
    let figures: [(String, Double?)] = [
      ("log_loss", accumulator.logLoss()?.value), ("brier", accumulator.brierScore()?.value),
      ("precision", confusion.precision()?.value), ("recall", confusion.recall()?.value),
      ("f1", confusion.f1()?.value), ("accuracy", confusion.accuracy()?.value),
      ("ece", accumulator.calibration(groupCount: 16)?.expectedError),
    ]
    for (name, value) in figures { answer(name, value ?? .nan) }
  }

  /// `regression FILE`: columns `prediction,truth`.
  static func regression(_ arguments: [String]) throws {
    guard arguments.count == 1 else { throw ProbeError(message: "regression FILE") }
    let table = try Table(arguments[0])
    var accumulator = RegressionAccumulator()
    for (prediction, truth) in zip(try table.numbers("prediction"), try table.numbers("truth")) {
      accumulator.add(prediction: prediction, truth: truth)
    }
    answer("mae", accumulator.meanAbsoluteError()?.value ?? .nan)
    answer("mae_lower", accumulator.meanAbsoluteError()?.lower ?? .nan)
    answer("rmse", accumulator.rootMeanSquareError()?.value ?? .nan)
    answer("r2", accumulator.determination ?? .nan)
    answer("bias", accumulator.bias()?.value ?? .nan)
  }

  /// `cbpe REFERENCE CURRENT THRESHOLD`: columns `score,label` and `score`.
  static func estimate(_ arguments: [String]) throws {
    guard arguments.count == 3, let threshold = Double(arguments[2]) else {
      throw ProbeError(message: "cbpe REFERENCE CURRENT THRESHOLD")
    }
    let (reference, current) = (try Table(arguments[0]), try Table(arguments[1]))
    let labels = try reference.numbers("label")
    let pairs = zip(try reference.numbers("score"), labels).map { (score: $0, label: $1 == 1) }
    guard let calibration = IsotonicCalibration(pairs) else { throw ProbeError(message: "no scores") }
    let estimate = ConfidenceBasedEstimate(scores: try current.numbers("score"), calibration: calibration)
    let expectation = estimate.expectation(threshold: threshold)
    let figures: [(String, Double?)] = [
      ("roc_auc", estimate.areaUnderCurve), ("f1", expectation.f1), ("precision", expectation.precision),
      ("recall", expectation.recall), ("specificity", expectation.specificity), ("accuracy", expectation.accuracy),
    ]
    for (name, value) in figures { answer(name, value ?? .nan) }
  }
}
