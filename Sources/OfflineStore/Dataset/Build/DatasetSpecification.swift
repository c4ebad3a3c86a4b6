package import Columns
package import Expressions
package import Features

/// What a dataset is made of: a service's vector, at the times of labels. Plain values: whoever has a plan makes one.
package struct DatasetSpecification: Sendable {
  /// A view that the vector needs, and where its events come from.
  package struct View: Sendable {
    package var view: PointInTimeView
    package var source: String
    package var topic: String
    /// The contract's fields, as the table has them.
    package var fields: [OfflineTable.Field]
    /// Columns of the labels that hold the entity's key.
    package var joinKeys: [String]
    package var joinTypes: [ColumnType]
    package var fingerprint: String

    package init(
      view: PointInTimeView, source: String, topic: String, fields: [OfflineTable.Field], joinKeys: [String],
      joinTypes: [ColumnType], fingerprint: String
    ) {
      self.view = view
      self.source = source
      self.topic = topic
      self.fields = fields
      self.joinKeys = joinKeys
      self.joinTypes = joinTypes
      self.fingerprint = fingerprint
    }
  }

  /// Where a value comes from.
  package enum Origin: Hashable, Sendable {
    /// Positions in `views` and in the view's features.
    case feature(view: Int, feature: Int)
    /// A column of the labels.
    case request(name: String, type: ColumnType)
    /// A position in `onDemand`.
    case onDemand(Int)
  }

  /// Computed of others, by the code that a request runs.
  package struct OnDemand: Sendable {
    package var name: String
    package var expression: Expression
    /// Those that are computed themselves stand further up.
    package var inputs: [Origin]

    package init(name: String, expression: Expression, inputs: [Origin]) {
      self.name = name
      self.expression = expression
      self.inputs = inputs
    }
  }

  /// One value of the vector.
  package struct Feature: Sendable {
    package var name: String
    package var type: FeatureType
    package var origin: Origin
    /// Takes the place of a null; null when there is none.
    package var defaultValue: Value

    package init(name: String, type: FeatureType, origin: Origin, defaultValue: Value) {
      self.name = name
      self.type = type
      self.origin = origin
      self.defaultValue = defaultValue
    }
  }

  package var service: String
  package var serviceFingerprint: String
  package var topology: String
  package var views: [View]
  package var onDemand: [OnDemand]
  package var features: [Feature]

  package init(
    service: String, serviceFingerprint: String, topology: String, views: [View], onDemand: [OnDemand],
    features: [Feature]
  ) {
    self.service = service
    self.serviceFingerprint = serviceFingerprint
    self.topology = topology
    self.views = views
    self.onDemand = onDemand
    self.features = features
  }
}
