package import Expressions

/// A feature that is computed from the other features of its view when these are read.
package struct DerivedFeature: Sendable {
  package var name: String
  /// Typed over the view's aggregates in their order; lists keep their place and cannot be read.
  package var expression: Expression

  package init(name: String, expression: Expression) {
    self.name = name
    self.expression = expression
  }
}
