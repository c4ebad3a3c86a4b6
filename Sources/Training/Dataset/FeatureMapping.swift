internal import Core
internal import Inference

/// Which columns of the dataset a model reads, in its own order.
struct FeatureMapping: Sendable {
  /// Positions among the dataset's features; nil: all of them as they are.
  let positions: [Int]?
  /// The column of a score that counts; of several classes the first.
  let scoreOffset: Int

  /// - Throws: `EVALUATION_MODEL`.
  init(_ model: Model, _ dataset: TrainingDataset) throws(HeadraceError) {
    let features = dataset.features
    let hasNames = model.featureNames.count == model.featureCount && !Self.areNumbered(model.featureNames)
    if hasNames, model.featureNames != features {
      var positions: [Int] = []
      var unknown: [String] = []
      for name in model.featureNames {
        if let position = features.firstIndex(of: name) { positions.append(position) } else { unknown.append(name) }
      }
      guard unknown.isEmpty else {
        throw Self.fault(
          "the model reads \(unknown.prefix(10).joined(separator: ", ")), which the dataset does not have", dataset)
      }
      self.positions = positions
    } else {
      guard model.featureCount == features.count else {
        throw Self.fault("the model reads \(model.featureCount) features, the dataset has \(features.count)", dataset)
      }
      positions = nil
    }
    switch dataset.objective {
    case .binary:
      guard model.outputCount <= 2 else {
        throw Self.fault("the model gives \(model.outputCount) scores, and the label has two classes", dataset)
      }
      // Exporters write a column for each class: the second one is the yes.
      scoreOffset = model.outputCount - 1
    case .multiclass:
      guard model.outputCount > 1 else { throw Self.fault("the model gives one score for several classes", dataset) }
      scoreOffset = 0
    case .regression:
      guard model.outputCount == 1 else {
        throw Self.fault("the model gives \(model.outputCount) scores for one number", dataset)
      }
      scoreOffset = 0
    }
  }

  private static func fault(_ what: String, _ dataset: TrainingDataset) -> HeadraceError {
    HeadraceError(
      .user, "EVALUATION_MODEL", what, place: dataset.place,
      remedy: "train it on a dataset of the same service and with the same objective")
  }

  /// `Column_0`, `f1`, `x2`: names that libraries give to columns without names.
  private static func areNumbered(_ names: [String]) -> Bool {
    names.enumerated().allSatisfy { ["Column_\($0)", "f\($0)", "x\($0)"].contains($1) }
  }
}
