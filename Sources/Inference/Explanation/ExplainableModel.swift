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
/// - Linear models: weight times value, and the intercept as the base value. Where the model scales its inputs itself,
///   the value is the scaled one, so that behind a standard scaler the mean row is what a row is compared with.
package final class ExplainableModel: Sendable {
  package let featureCount: Int
  /// Margins of a row: 1, or one for each class or target.
  package let marginCount: Int
  /// By column, when the file names them.
  package let featureNames: [String]
  let body: Body
  let instructions: InstructionSet

  enum Body: Sendable {
    case trees(TreeExplanation)
    case linear(LinearExplanation)
  }

  /// Numbers of a row: for each margin the features and the base value.
  package var width: Int { marginCount * (featureCount + 1) }

  /// - Throws: `EXPLANATION_UNSUPPORTED` for a model of another kind, and for trees without covers; `MODEL_TOO_LARGE`.
  package init(_ model: Model, instructions: InstructionSet = .best) throws(HeadraceError) {
    featureCount = model.featureCount
    featureNames = model.featureNames
    self.instructions = instructions
    switch model.body {
    case .trees(let ensemble, let stages):
      marginCount = ensemble.outputCount
      body = .trees(try TreeExplanation(ensemble, stages: stages, format: model.format))
    case .program(let program):
      let linear = try LinearExplanation(program)
      marginCount = linear.marginCount
      body = .linear(linear)
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
