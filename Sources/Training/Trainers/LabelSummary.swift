internal import Core

/// What the labels of the training rows are like.
struct LabelSummary {
  let mean: Double
  /// Of a classification with several classes; else 0.
  let classCount: Int

  /// - Parameter also: labels of the validation rows, whose classes count, too.
  /// - Throws: `TRAINING_DATA` when there is nothing to tell apart.
  init(_ labels: [Float], _ dataset: TrainingDataset, also: [Float] = []) throws(HeadraceError) {
    // One after the other in doubles: the same order, the same bits.
    mean = labels.reduce(0.0) { $0 + Double($1) } / Double(max(labels.count, 1))
    // Of a regression a label may be larger than any whole number.
    classCount = dataset.objective == .multiclass ? Int(max(labels.max() ?? 0, also.max() ?? 0)) + 1 : 0
    let isConstant =
      switch dataset.objective {
      case .binary: mean <= 0 || mean >= 1
      case .multiclass: classCount < 2
      case .regression: false
      }
    guard !isConstant else {
      throw HeadraceError(
        .user, "TRAINING_DATA", "`\(dataset.label)` is the same in all \(labels.count) training rows",
        place: dataset.place, remedy: "build the dataset from labels of a longer time, or choose another label")
    }
    guard mean.isFinite else {
      throw HeadraceError(
        .user, "TRAINING_DATA", "the labels are too large for sums", place: dataset.place, remedy: "scale the label")
    }
  }
}

extension TrainingDataset {
  var nothingToTrainOn: HeadraceError {
    HeadraceError(
      .user, "TRAINING_DATA", "no training row has a label", place: place,
      remedy: "build the dataset from labels of a longer time")
  }
}
