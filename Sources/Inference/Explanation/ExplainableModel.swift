package import Core

/// A model, ready to say what each feature contributes to its scores. Immutable: any number of threads may share it,
/// each with an `Explainer` of its own.
///
/// What is explained is the margin: the sums of the trees, or the outputs of the linear layer, before a link such as a
/// sigmoid or a softmax. For each margin there is a number for each feature and, last, the base value; together they
/// are the margin.
///
/// - Trees: Shapley values of the path-dependent game (Lundberg et al., Nature Machine Intelligence 2, 2020), what
///   LightGBM calls `pred_contrib` and XGBoost `pred_contribs`. The base value is the mean of the rows that the trees
///   were trained on, as the covers of their nodes tell it.
///   Where the file does not tell (ONNX), or on request, rows that the caller gives take the place of the training set:
///   covers are then counts of these rows, and the base value is their mean margin. With the training set as background
///   that is the library's own figure.
/// - Linear models: weight times value, and the intercept as the base value. Where the model scales its inputs itself,
///   the value is the scaled one, so that behind a standard scaler the mean row is what a row is compared with. With a
///   background: weight times the difference from its mean, and its mean margin as the base value.
///
/// A network of several layers is not explained.
package final class ExplainableModel: Sendable {
  package let featureCount: Int
  /// Margins of a row: 1, or one for each class or target.
  package let marginCount: Int
  /// By column, when the file names them.
  package let featureNames: [String]
  package let definition: Definition
  /// Rows that the caller gave; 0: none.
  package let backgroundRowCount: Int
  let body: Body
  /// What a linear model says of the mean row of the background; empty without one.
  let meanContributions: [Double]
  let instructions: InstructionSet

  /// What the numbers are, for whoever reads them.
  package enum Definition: String, Sendable {
    case treesByTraining = "shapley_path_dependent_training_covers"
    case treesByBackground = "shapley_path_dependent_background_covers"
    case linear = "weight_times_value"
    case linearByBackground = "weight_times_difference_from_background_mean"
  }

  enum Body: Sendable {
    case trees(TreeExplanation)
    case linear(LinearExplanation)
  }

  /// Numbers of a row: for each margin the features and the base value.
  package var width: Int { marginCount * (featureCount + 1) }

  /// - Parameters:
  ///   - background: rows of `featureCount` floats, one after the other; empty: none.
  ///   - weights: as the model is compiled with, so that contributions are those of its scores.
  /// - Throws: `EXPLANATION_UNSUPPORTED` for a model of another kind, and for trees without covers and background;
  ///   `MODEL_TOO_LARGE`.
  /// - Precondition: `background` is whole rows.
  package init(
    _ model: Model, background: [Float] = [], weights: CompileOptions.Weights = .float32,
    instructions: InstructionSet = .best
  ) throws(HeadraceError) {
    precondition(background.isEmpty || background.count % max(model.featureCount, 1) == 0, "a background of whole rows")
    featureCount = model.featureCount
    backgroundRowCount = background.count / max(model.featureCount, 1)
    featureNames = model.featureNames
    self.instructions = instructions
    switch model.body.explained {
    case .trees(let ensemble, let stages):
      marginCount = ensemble.outputCount
      definition = background.isEmpty ? .treesByTraining : .treesByBackground
      let counted = background.isEmpty ? ensemble : ensemble.counting(background)
      body = .trees(try TreeExplanation(counted, stages: stages, format: model.format))
      meanContributions = []
    case .program(let program):
      let linear = try LinearExplanation(program, weights: weights)
      marginCount = linear.marginCount
      body = .linear(linear)
      definition = background.isEmpty ? .linear : .linearByBackground
      meanContributions = linear.mean(of: background, featureCount: model.featureCount)
    }
  }

  /// An explainer with scratch memory of its own.
  package func makeExplainer() -> Explainer { Explainer(self) }
}

enum ExplanationFault {
  static func unsupported(_ message: String, remedy: String) -> HeadraceError {
    HeadraceError(.user, "EXPLANATION_UNSUPPORTED", message, remedy: remedy)
  }
}

extension Model.Body {
  /// Trees that read the features themselves, with all that follows from them alone, are explained as trees: an ONNX
  /// classifier makes probabilities of classes out of the sums, step by step.
  fileprivate var explained: Model.Body {
    guard case .program(let program) = self else { return self }
    var isOfTrees = [Bool](repeating: false, count: program.widths.count)
    var found: Model.Body?
    for step in program.steps {
      if found == nil, case .trees(let ensemble, let stages) = step.operation, step.inputs == [0] {
        found = .trees(ensemble, stages: stages)
      } else if !step.inputs.allSatisfy({ isOfTrees[$0] }) {
        return self
      }
      isOfTrees[step.output] = true
    }
    return isOfTrees[program.result] ? found ?? self : self
  }
}

extension TreeEnsemble {
  /// The same trees with the number of these rows that come to each node as its cover.
  func counting(_ rows: [Float]) -> TreeEnsemble {
    var counted = self
    var row: [Float] = []
    for index in counted.trees.indices {
      counted.trees[index].covers = [Double](repeating: 0, count: counted.trees[index].nodes.count)
    }
    for start in stride(from: 0, to: rows.count, by: max(featureCount, 1)) {
      row.removeAll(keepingCapacity: true)
      row += rows[start..<start + featureCount]
      for index in counted.trees.indices { counted.trees[index].count(row, rule: categoryRule) }
    }
    return counted
  }
}

extension DecisionTree {
  fileprivate mutating func count(_ row: [Float], rule: CategoryRule) {
    var node = 0
    while true {
      covers[node] += 1
      guard case .split(let split, let left, let right) = nodes[node] else { return }
      node = split.goesLeft(row[split.feature], rule) ? left : right
    }
  }
}
