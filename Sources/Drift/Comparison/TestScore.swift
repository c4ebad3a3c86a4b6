/// What one test says about two windows.
package struct TestScore: Sendable, Equatable {
  /// By the definition's own formula, with bounds where a sketch was asked.
  package var estimate: Estimate
  /// For tests that have one and whose score is something else.
  package var pValue: Double?

  package init(_ estimate: Estimate, pValue: Double? = nil) {
    self.estimate = estimate
    self.pValue = pValue
  }

  init(exact score: Double, pValue: Double? = nil) { self.init(Estimate(exact: score), pValue: pValue) }

  package var score: Double { estimate.value }
}
