package import Columns
package import Expressions
package import Features

/// Aggregates over one source for one entity.
package struct ViewPlan: Sendable {
  package var name: String
  package var about: About
  /// Who pays for it; nil: whoever pays for its source.
  package var tenant: String?
  /// A position in `Plan.sources`.
  package var source: Int
  /// A position in `Plan.entities`.
  package var entity: Int
  /// Where the entity's join keys are in the source's scope, in the order of `EntityPlan.keys`.
  package var keyColumns: [Int]
  /// What the layout's inputs are evaluated from, in its order; over the source's scope.
  package var inputs: [Expression]
  /// A boolean over the source's scope: records for which it is not true leave this view alone.
  package var filter: Expression?
  package var filterText: String?
  package var layout: ViewLayout
  /// What can be asked for, in the layout's order: aggregates first, then derived features.
  package var features: [FeaturePlan]
  package var latenessMilliseconds: Int64
  package var ttlMilliseconds: Int64?
  /// The records of one entity are not all in one partition of the source's topic.
  package var isRepartitioned: Bool { repartitionTopic != nil }
  /// Where the deltas of this view are sent by the entity's key; nil when the source is already partitioned so.
  package var repartitionTopic: String?
  /// What of its values goes to the table `features/<view>`. Decides nothing about the state.
  package var history = ViewHistory.off
  /// Of everything that decides a value of this view: equal fingerprints may share state, others never.
  package var fingerprint: Fingerprint

  package func feature(named name: String) -> Int? { features.firstIndex { $0.name == name } }
}

/// `history: tiles`: how a view's values become rows of a table.
package enum ViewHistory: String, Sendable, CaseIterable {
  case off
  /// A row for each event that the view took.
  case updates
  /// A row for each key that a tile of time touched, when the tile ends, and one more when it is final and was changed.
  case tiles
}

/// One named column of a view.
package struct FeaturePlan: Sendable {
  /// With the window: `mean_delay_6h`.
  package var name: String
  package var type: FeatureType
  /// The definition as the file says it, with this feature's window: `mean(dep_delay) over 6h`.
  package var definition: String
  /// The definition in normal form: what fingerprints are of.
  package var canonicalText: String
  /// Of the meaning: source, filters, key, definition and ttl. What a service was promised.
  package var fingerprint: Fingerprint
}

extension FeatureType {
  /// For people and for the JSON of a plan: `double`, `list of string`.
  package var text: String { isList ? "list of \(element)" : "\(element)" }

  /// nil for a list.
  package var scalar: ColumnType? { isList ? nil : element }
}
