package import Columns
package import Expressions

/// What served vectors are held against: the definitions of a plan. Plain values: whoever has a plan makes one.
package struct ParitySpecification: Sendable {
  package struct View: Sendable {
    /// All of the view's features.
    package var point: PointInTimeView
    /// Of the meaning of each feature.
    package var fingerprints: [String]
    package var topic: String
    package var isRepartitioned: Bool
    /// `events/<source>`; nil of a source that is not archived.
    package var table: String?
    /// The contract's fields, as the table has them.
    package var fields: [OfflineTable.Field]
    package var joinKeys: [String]
    package var joinTypes: [ColumnType]

    package init(
      point: PointInTimeView, fingerprints: [String], topic: String, isRepartitioned: Bool, table: String?,
      fields: [OfflineTable.Field], joinKeys: [String], joinTypes: [ColumnType]
    ) {
      self.point = point
      self.fingerprints = fingerprints
      self.topic = topic
      self.isRepartitioned = isRepartitioned
      self.table = table
      self.fields = fields
      self.joinKeys = joinKeys
      self.joinTypes = joinTypes
    }
  }

  package enum Input: Sendable, Hashable {
    case feature(view: String, name: String)
    case request(String)
    case onDemand(String)
  }

  /// Computed for a request, by the same expression.
  package struct OnDemand: Sendable {
    package var name: String
    package var fingerprint: String
    package var expression: Expression
    package var inputs: [(input: Input, type: ColumnType)]

    package init(
      name: String, fingerprint: String, expression: Expression, inputs: [(input: Input, type: ColumnType)]
    ) {
      self.name = name
      self.fingerprint = fingerprint
      self.expression = expression
      self.inputs = inputs
    }
  }

  package var topology: String
  /// Of the plan: equal ones are the same definitions.
  package var fingerprint: String
  package var views: [View]
  /// Those that others are computed of stand further up.
  package var onDemand: [OnDemand]
  /// What each service puts in the place of nulls.
  package var defaults: [String: [Input: Value]]

  package init(
    topology: String, fingerprint: String, views: [View], onDemand: [OnDemand], defaults: [String: [Input: Value]]
  ) {
    self.topology = topology
    self.fingerprint = fingerprint
    self.views = views
    self.onDemand = onDemand
    self.defaults = defaults
  }

  package func view(named name: String) -> View? { views.first { $0.point.name == name } }
}
