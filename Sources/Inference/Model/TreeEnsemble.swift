/// Trees whose leaves are added up, in the order of the trees.
package struct TreeEnsemble: Sendable {
  /// The type of the sums, which decides their last bits.
  package enum Precision: Sendable { case float32, float64 }

  package var featureCount: Int
  package var outputCount: Int
  package var trees: [DecisionTree]
  /// What each output's sum starts with.
  package var starts: [Double]
  package var precision: Precision
  package var categoryRule: CategoryRule

  init(
    featureCount: Int, outputCount: Int, trees: [DecisionTree], starts: [Double], precision: Precision,
    categoryRule: CategoryRule
  ) {
    self.featureCount = featureCount
    self.outputCount = outputCount
    self.trees = trees
    self.starts = starts
    self.precision = precision
    self.categoryRule = categoryRule
  }
}

/// What happens to a row of sums before it is the result; in the ensemble's precision, in this order.
package enum OutputStage: Sendable, Equatable {
  case divide(by: Double)
  case add([Double])
  /// 1 / (1 + exp(-scale * x)).
  case sigmoid(scale: Double)
  /// XGBoost's: -x no more than 88.7, and 1e-16 in the denominator.
  case boundedSigmoid
  case softmax
  case exponential
  /// log(1 + exp(x)).
  case softplus
  /// sign(x) * x^2: undoes the root of LightGBM's `reg_sqrt`.
  case signedSquare
  /// 1 above zero, else 0.
  case step
  /// The index of the greatest: as many outputs become one.
  case argumentOfMaximum
  /// One score s becomes what ONNX makes of two classes of which only one has weights.
  case twoClasses(TwoClasses)
  /// ONNX's SOFTMAX_ZERO: zeros stay zeros.
  case softmaxOfNonzero
  case probit

  package enum TwoClasses: Sendable, Equatable {
    /// {1 - s, s}.
    case complement
    /// {-s, s}.
    case negation
    /// {logistic(-s), logistic(s)}.
    case logistic
  }
}
