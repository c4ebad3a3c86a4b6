internal import Core

/// All rows of a part in memory: what a trainer that is built in works on.
struct FeatureMatrix: Sendable {
  let featureCount: Int
  /// Row by row.
  private(set) var values: [Float] = []
  private(set) var labels: [Float] = []

  var rowCount: Int { labels.count }

  /// - Parameters:
  ///   - bytesOfValue: what the trainer will need for each value in all, its own copies included.
  ///   - memoryBytes: the budget.
  /// - Throws: `TRAINING_MEMORY` as soon as it is certain.
  init(
    _ dataset: TrainingDataset, _ part: TrainingPart, bytesOfValue: Int, memoryBytes: Int,
    isCancelled: () -> Bool
  ) throws(HeadraceError) {
    featureCount = dataset.features.count
    var values: [Float] = []
    var labels: [Float] = []
    let valuesMax = memoryBytes / max(bytesOfValue, 1)
    try dataset.forEachRows(part) { (rows) throws(HeadraceError) in
      guard rows.features.count <= valuesMax - values.count else {
        throw HeadraceError(
          .user, "TRAINING_MEMORY",
          "over \(labels.count) rows of \(dataset.features.count) features take more than \(memoryBytes >> 20) MiB",
          place: dataset.place, remedy: "give the training more memory, or build a dataset of fewer labels")
      }
      guard !isCancelled() else { throw .trainingCancelled }
      values += rows.features
      labels += rows.labels
    }
    self.values = values
    self.labels = labels
  }

  /// Rows of another part of the same dataset behind these.
  mutating func append(_ other: FeatureMatrix) {
    values += other.values
    labels += other.labels
  }
}

extension HeadraceError {
  static var trainingCancelled: HeadraceError {
    HeadraceError(.user, "TRAINING_CANCELLED", "the training was cancelled", remedy: "start it again: it goes on")
  }

  static func trainingTimeout(_ milliseconds: Int64, place: String) -> HeadraceError {
    HeadraceError(
      .user, "TRAINING_TIMEOUT", "the training was not done after \(milliseconds) ms", place: place,
      remedy: "give it more time, or train fewer rounds or rows")
  }
}
