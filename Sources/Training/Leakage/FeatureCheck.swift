internal import Drift

/// Features that are too good to be true: one that tells the label alone has most likely been made of it.
enum FeatureCheck {
  /// From this area under the ROC curve on, of one feature alone.
  static let areaMax = 0.995
  /// From this correlation with a number on.
  static let correlationMax = 0.9995
  /// Of each class; below that chance does such things.
  private static let rowsMin = 20

  static func findings(_ dataset: TrainingDataset, _ sample: FeatureSample) -> [TrainingFinding] {
    dataset.features.indices.compactMap { feature in
      let (values, labels, isPresent) = sample.column(feature)
      let name = dataset.features[feature]
      if let found = equality(name, values, labels, dataset) { return found }
      switch dataset.objective {
      case .binary:
        return area(name, values, labels, what: "its value")
          ?? area(name, isPresent.map { $0 ? 1 : 0 }, sample.labels, what: "whether it is null")
      case .multiclass: return separation(name, values, labels)
      case .regression: return correlation(name, values, labels)
      }
    }
  }

  private static func equality(
    _ name: String, _ values: [Double], _ labels: [Float], _ dataset: TrainingDataset
  ) -> TrainingFinding? {
    let distinct = Set(labels)
    guard values.count >= rowsMin, distinct.count > 1, zip(values, labels).allSatisfy({ $0 == Double($1) }) else {
      return nil
    }
    // A class of two rows may agree by chance.
    if dataset.objective != .regression, distinct.contains(where: { label in labels.count { $0 == label } < rowsMin / 4 }) {
      return nil
    }
    return TrainingFinding(
      .featureIsLabel, .error, subject: name, message: "the feature is the label in all \(values.count) rows",
      evidence: [("rows", "\(values.count)")])
  }

  private static func area(_ name: String, _ values: [Double], _ labels: [Float], what: String) -> TrainingFinding? {
    let positives = labels.count { $0 == 1 }
    guard positives >= rowsMin, labels.count - positives >= rowsMin,
      let estimate = BinaryScores(zip(values, labels).map { ($0, $1 == 1) }).areaUnderCurve()
    else { return nil }
    let area = max(estimate.value, 1 - estimate.value)
    guard area >= areaMax else { return nil }
    return TrainingFinding(
      .featureTooGood, .error, subject: name, message: "\(what) alone tells the label: AUC \(area)",
      evidence: [("auc", "\(estimate.value)"), ("rows", "\(labels.count)"), ("positives", "\(positives)")])
  }

  /// Every class against the others.
  private static func separation(_ name: String, _ values: [Double], _ labels: [Float]) -> TrainingFinding? {
    for label in Set(labels).sorted() {
      let found = area(name, values, labels.map { $0 == label ? 1 : 0 }, what: "its value for class \(Int(label))")
      if let found { return found }
    }
    return nil
  }

  private static func correlation(_ name: String, _ values: [Double], _ labels: [Float]) -> TrainingFinding? {
    guard values.count >= rowsMin else { return nil }
    let count = Double(values.count)
    let (meanX, meanY) = (values.reduce(0, +) / count, labels.reduce(0.0) { $0 + Double($1) } / count)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (x, y) in zip(values, labels) {
      let (dx, dy) = (x - meanX, Double(y) - meanY)
      xx += dx * dx
      yy += dy * dy
      xy += dx * dy
    }
    guard xx > 0, yy > 0 else { return nil }
    let correlation = xy / (xx * yy).squareRoot()
    guard correlation.magnitude >= correlationMax else { return nil }
    return TrainingFinding(
      .featureTooGood, .error, subject: name, message: "the feature follows the label: correlation \(correlation)",
      evidence: [("correlation", "\(correlation)"), ("rows", "\(values.count)")])
  }
}
