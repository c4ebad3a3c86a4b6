internal import Core

/// A model that was read from a file and checked: what it computes, in no format of its own.
///
/// Every index in it is in range, every tree is a tree, and every number that takes part in a comparison is one: what
/// scores it does not check again.
package struct Model: Sendable {
  /// What a model computes from a row of float32 features.
  package enum Body: Sendable {
    /// Trees alone, with what happens to their sums; the numbers are as exact as the library's own.
    case trees(TreeEnsemble, stages: [OutputStage])
    /// Steps from row to row: linear models, dense networks, and whole ONNX graphs.
    case program(RowProgram)
  }

  package var format: ModelFormat
  /// The library's name for what the scores mean: `binary`, `reg:squarederror`, `TreeEnsembleClassifier`.
  package var objective: String
  package var body: Body
  /// Columns of the matrix that is scored.
  package var featureCount: Int
  /// By column, when the file names them.
  package var featureNames: [String]
  /// Scores of a row: 1, or one for each class, target or quantile.
  package var outputCount: Int

  init(
    format: ModelFormat, objective: String, body: Body, featureCount: Int, featureNames: [String], outputCount: Int
  ) {
    self.format = format
    self.objective = objective
    self.body = body
    self.featureCount = featureCount
    self.featureNames = featureNames
    self.outputCount = outputCount
  }

  /// Whether it has dense layers, whose weights may be kept in fewer bits.
  package var hasWeights: Bool {
    guard case .program(let program) = body else { return false }
    for step in program.steps {
      if case .dense = step.operation { return true }
    }
    return false
  }

  /// One line for a person: `lightgbm binary, 100 trees, 30 features`.
  package var summary: String {
    let size =
      switch body {
      case .trees(let ensemble, _): "\(ensemble.trees.count) trees"
      case .program(let program): "\(program.steps.count) steps"
      }
    let scores = outputCount == 1 ? "1 score" : "\(outputCount) scores"
    return "\(format.rawValue) \(objective), \(size), \(featureCount) features, \(scores)"
  }
}

/// The bounds of what is loaded. They bound memory and the time of a row; no model in use comes near them.
enum ModelLimit {
  static let fileBytesMax = 2 << 30
  static let featuresMax = 1 << 16
  static let outputsMax = 1 << 12
  /// Columns of all values of a program together.
  static let programColumnsMax = 1 << 20
  static let treesMax = 1 << 20
  /// Nodes of one tree, leaves included.
  static let nodesMax = 1 << 26
  static let depthMax = 1_024
  static let categoriesOfFeatureMax = 65_000
}
