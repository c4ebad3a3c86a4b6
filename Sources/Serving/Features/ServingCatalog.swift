package import Columns

/// What can be asked for and pushed to: the part of a plan that serving needs, by position.
package struct ServingCatalog: Sendable {
  /// The topology's name; Feast would call it the project.
  package var name: String
  package var fingerprint: String
  package var sources: [Source]
  package var views: [View]
  /// Values that come with a request.
  package var requestFields: [Field]
  package var onDemand: [OnDemand]
  package var services: [Service]

  package init(
    name: String, fingerprint: String = "", sources: [Source] = [], views: [View] = [], requestFields: [Field] = [],
    onDemand: [OnDemand] = [], services: [Service] = []
  ) {
    self.name = name
    self.fingerprint = fingerprint
    self.sources = sources
    self.views = views
    self.requestFields = requestFields
    self.onDemand = onDemand
    self.services = services
  }

  package struct Field: Sendable, Hashable {
    package var name: String
    package var type: ColumnType

    package init(_ name: String, _ type: ColumnType) {
      self.name = name
      self.type = type
    }
  }

  package struct View: Sendable {
    package var name: String
    package var entity: String
    /// In the order of the encoded key.
    package var joinKeys: [Field]
    package var features: [Feature]
    /// A position in `sources`.
    package var source: Int
    package var ttlMilliseconds: Int64?
    package var isRepartitioned: Bool
    package var fingerprint: String

    package init(
      name: String, entity: String, joinKeys: [Field], features: [Feature], source: Int, ttlMilliseconds: Int64? = nil,
      isRepartitioned: Bool = false, fingerprint: String = ""
    ) {
      self.name = name
      self.entity = entity
      self.joinKeys = joinKeys
      self.features = features
      self.source = source
      self.ttlMilliseconds = ttlMilliseconds
      self.isRepartitioned = isRepartitioned
      self.fingerprint = fingerprint
    }
  }

  package struct Feature: Sendable {
    package var name: String
    /// As people read it: `double`, `list of string`.
    package var typeName: String
    /// Of scalars; nil for lists.
    package var type: ColumnType?
    /// `mean(dep_delay) over 6h`.
    package var definition: String
    /// Of its meaning.
    package var fingerprint: String
    /// Of a window that has an end.
    package var windowMilliseconds: Int64?
    package var hopMilliseconds: Int64?

    package init(name: String, typeName: String, type: ColumnType?, definition: String = "", fingerprint: String = "") {
      self.name = name
      self.typeName = typeName
      self.type = type
      self.definition = definition
      self.fingerprint = fingerprint
    }
  }

  /// Where a value of an answer comes from.
  package enum Origin: Hashable, Sendable {
    case feature(view: Int, feature: Int)
    /// A position in `requestFields`.
    case request(Int)
    /// A position in `onDemand`.
    case onDemand(Int)
  }

  /// A feature that is computed when it is asked for.
  package struct OnDemand: Sendable {
    package var name: String
    package var type: ColumnType
    /// Column k of the batch is `inputs[k]`. On-demand features among them stand further up in the catalog.
    package var inputs: [Origin]
    package var inputTypes: [ColumnType]
    /// Of its meaning, that of its inputs included.
    package var fingerprint: String
    package var evaluate: @Sendable (borrowing ColumnBatch) -> Column

    package init(
      name: String, type: ColumnType, inputs: [Origin], inputTypes: [ColumnType], fingerprint: String = "",
      evaluate: @escaping @Sendable (borrowing ColumnBatch) -> Column
    ) {
      self.name = name
      self.type = type
      self.inputs = inputs
      self.inputTypes = inputTypes
      self.fingerprint = fingerprint
      self.evaluate = evaluate
    }
  }

  /// An ordered list of features under one name.
  package struct Service: Sendable {
    package var name: String
    package var features: [ServiceFeature]
    package var fingerprint: String

    package init(name: String, features: [ServiceFeature], fingerprint: String = "") {
      self.name = name
      self.features = features
      self.fingerprint = fingerprint
    }
  }

  package struct ServiceFeature: Sendable {
    /// Unique in the service.
    package var name: String
    package var origin: Origin
    /// Takes the place of a null; null when there is none.
    package var defaultValue: Value

    package init(name: String, origin: Origin, defaultValue: Value = .null) {
      self.name = name
      self.origin = origin
      self.defaultValue = defaultValue
    }
  }

  /// A topic that events are pushed into.
  package struct Source: Sendable {
    package var name: String
    package var topic: String
    package var push: PushTarget?

    package init(name: String, topic: String, push: PushTarget? = nil) {
      self.name = name
      self.topic = topic
      self.push = push
    }
  }
}

extension ServingCatalog {
  package func view(named name: String) -> Int? { views.firstIndex { $0.name == name } }
  package func service(named name: String) -> Int? { services.firstIndex { $0.name == name } }
  package func source(named name: String) -> Int? { sources.firstIndex { $0.name == name } }
}
