package import Columns

/// A column that a view reads: an argument or a filter, each expression once.
package struct ViewInput: Hashable, Sendable {
  package var type: ColumnType
  /// Equal for equal expressions; part of the view's fingerprint.
  package var canonicalText: String

  package init(type: ColumnType, canonicalText: String) {
    self.type = type
    self.canonicalText = canonicalText
  }
}

/// One aggregate over one window.
package struct FeatureDefinition: Hashable, Sendable {
  /// With the window's suffix: `mean_delay_6h`.
  package var name: String
  package var function: AggregateFunction
  /// Position in the view's inputs.
  package var argument: Int?
  /// Position in the view's inputs, a boolean: only events for which it is true count.
  package var filter: Int?
  package var window: Window

  package init(
    name: String, function: AggregateFunction, argument: Int? = nil, filter: Int? = nil, window: Window
  ) {
    self.name = name
    self.function = function
    self.argument = argument
    self.filter = filter
    self.window = window
  }
}

/// Aggregates over one source for one entity, with everything resolved.
package struct ViewDefinition: Sendable {
  package var name: String
  package var inputs: [ViewInput]
  package var features: [FeatureDefinition]
  /// Read as the positions behind `features`.
  package var derived: [DerivedFeature]
  /// How far behind the watermark events are still expected.
  package var latenessMilliseconds: Int64
  /// The age past which values are no longer served; nil is never.
  package var ttlMilliseconds: Int64?

  package init(
    name: String, inputs: [ViewInput], features: [FeatureDefinition], derived: [DerivedFeature] = [],
    latenessMilliseconds: Int64 = 600_000, ttlMilliseconds: Int64? = nil
  ) {
    self.name = name
    self.inputs = inputs
    self.features = features
    self.derived = derived
    self.latenessMilliseconds = latenessMilliseconds
    self.ttlMilliseconds = ttlMilliseconds
  }
}
