internal import Core
internal import Glibc

/// Logistic regression with an L2 penalty, by Newton's method on standardised features. Sums are added in the order of
/// the rows by one thread: the same rows give the same bits.
struct LogisticTrainer {
  let specification: TrainingSpecification
  let settings: LogisticParameters
  let dataset: TrainingDataset
  let watch: TrainingWatch

  /// The cost of a step is the square of it, for each row.
  static let featuresMax = 2_000

  /// What is minimised: Σ log loss + λ/2 Σ w², the intercept behind the weights.
  struct Fit {
    var weights: [Double]
    var iterations = 0
    var loss = Double.infinity
    /// The largest part of the gradient, divided by the number of rows.
    var slope = Double.infinity
  }

  /// - Returns: the model as plain JSON.
  func train() throws(HeadraceError) -> (bytes: [UInt8], claims: [TrainedModel.Claim]) {
    guard specification.objective == .binary else {
      throw HeadraceError(
        .user, "TRAINING_PARAMETER", "the objective \(specification.objective.rawValue)", place: "trainer logistic",
        remedy: "it tells two classes apart: choose the objective binary, or the trainer xgboost")
    }
    guard dataset.features.count <= Self.featuresMax else {
      throw HeadraceError(
        .user, "TRAINING_PARAMETER", "\(dataset.features.count) features, at most \(Self.featuresMax)",
        place: "trainer logistic", remedy: "choose the trainer xgboost")
    }
    // All rows that train: nothing here stops early.
    var matrix = try self.matrix(.train)
    matrix.append(try self.matrix(.validation))
    guard matrix.rowCount > 0 else { throw dataset.nothingToTrainOn }
    let labels = try LabelSummary(matrix.labels, dataset)
    let standardization = Standardization(matrix)
    let fit = try fit(matrix, standardization, labels)
    return (json(fit, standardization), [.init(name: "train_log_loss", value: fit.loss / Double(matrix.rowCount))])
  }

  private func matrix(_ part: TrainingPart) throws(HeadraceError) -> FeatureMatrix {
    try FeatureMatrix(
      dataset, part, bytesOfValue: 8, memoryBytes: specification.budget.memoryBytes, isCancelled: watch.isCancelled)
  }

  private func fit(
    _ matrix: FeatureMatrix, _ standardization: Standardization, _ labels: LabelSummary
  ) throws(HeadraceError) -> Fit {
    let width = matrix.featureCount
    var fit = Fit(weights: [Double](repeating: 0, count: width + 1))
    fit.weights[width] = log(labels.mean / (1 - labels.mean))
    var pass = LogisticPass(matrix, standardization, l2: settings.l2)
    fit.loss = pass.loss(fit.weights)
    while fit.iterations < settings.iterations {
      try watch.check()
      let system = pass.system(fit.weights)
      fit.slope = (system.right.map(\.magnitude).max() ?? 0) / Double(matrix.rowCount)
      watch.progress(.step(fit.iterations, of: settings.iterations, note: "slope \(fit.slope)"))
      guard fit.slope > settings.tolerance else { break }
      guard let step = system.solved() else {
        throw HeadraceError(
          .user, "TRAINING_DATA", "some features are sums of others, and there is no penalty", place: dataset.place,
          remedy: "set l2 to more than 0")
      }
      guard let (weights, loss) = pass.shortened(step, from: fit.weights, loss: fit.loss) else { break }
      fit.iterations += 1
      (fit.weights, fit.loss) = (weights, loss)
    }
    return fit
  }

  /// Standardisation goes into the weights, so that whoever scores knows nothing of it.
  private func json(_ fit: Fit, _ standardization: Standardization) -> [UInt8] {
    let width = standardization.means.count
    let weights = (0..<width).map { fit.weights[$0] * standardization.factors[$0] }
    let intercept = zip(weights, standardization.means).reduce(fit.weights[width]) { $0 - $1.0 * $1.1 }
    var writer = JSONWriter()
    writer.object { json in
      json.member("model", "linear")
      json.key("features")
      json.array { json in for name in dataset.features { json.string(name) } }
      json.key("weights")
      json.array { json in for weight in weights { json.double(weight) } }
      json.member("intercept", intercept)
      json.key("missing")
      json.array { json in for mean in standardization.means { json.double(mean) } }
      json.member("link", "logistic")
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
