package import Core

/// Settings of the trainer `logistic`.
package struct LogisticParameters: Sendable, Equatable {
  /// The penalty λ/2 Σ w² on the weights of standardised features, the intercept left out: scikit-learn's 1/C.
  package var l2 = 1.0
  /// Of Newton's method, at most.
  package var iterations = 100
  /// Ends when no part of the gradient, divided by the number of rows, is larger.
  package var tolerance = 1e-10

  package init() {}

  /// - Throws: `TRAINING_PARAMETER`.
  package init(settings: [(name: String, value: String)]) throws(HeadraceError) {
    var settings = try TrainerSettings(settings, trainer: "logistic")
    try settings.number("l2", 0...1e12, into: &l2)
    try settings.integer("iterations", 1...10_000, into: &iterations)
    try settings.number("tolerance", 0...1, into: &tolerance)
    try settings.finish()
  }

  var list: [(name: String, value: String)] {
    [("l2", "\(l2)"), ("iterations", "\(iterations)"), ("tolerance", "\(tolerance)")]
  }
}
