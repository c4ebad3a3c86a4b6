internal import Core

/// What somebody would say who knows nothing of a row: the base rate, the mean, the shares of the classes, of the rows
/// that train.
struct Baseline: Sendable {
  /// Rows that train or validate, with a label.
  let rowCount: Int
  /// Of every row.
  let scores: [Double]

  init(_ dataset: TrainingDataset, width: Int) throws(HeadraceError) {
    var sum = 0.0
    var rowCount = 0
    var classes = [Int](repeating: 0, count: max(width, 1))
    for part in [TrainingPart.train, .validation] {
      try dataset.forEachRows(part, wantsFeatures: false) { (rows) throws(HeadraceError) in
        rowCount += rows.count
        for label in rows.labels {
          sum += Double(label)
          if dataset.objective == .multiclass, Int(label) < classes.count { classes[Int(label)] += 1 }
        }
      }
    }
    guard rowCount > 0 else { throw dataset.nothingToTrainOn }
    self.rowCount = rowCount
    scores =
      dataset.objective == .multiclass
      ? classes.map { Double($0) / Double(rowCount) } : [sum / Double(rowCount)]
  }

  var subject: ModelEvaluation.Subject { .init(name: "baseline", role: .baseline, bytes: []) }
}
