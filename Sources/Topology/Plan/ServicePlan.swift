package import Columns
package import Expressions
package import Features

/// A value that comes with a request.
package struct RequestFieldPlan: Sendable, Hashable {
  /// Without `request:`.
  package var name: String
  package var type: ColumnType
}

/// Where a value of a vector comes from.
package enum ValueOrigin: Hashable, Sendable {
  case feature(FeatureReference)
  /// A position in `Plan.requestFields`.
  case request(Int)
  /// A position in `Plan.onDemand`.
  case onDemand(Int)
}

/// A feature computed when it is asked for, by the same code online and offline.
package struct OnDemandPlan: Sendable {
  package var name: String
  /// As the file says it, on one line.
  package var text: String
  /// Column k of its batch is `inputs[k]`.
  package var expression: Expression
  /// On-demand features among them stand further up in `Plan.onDemand`.
  package var inputs: [ValueOrigin]
  /// Of its meaning, that of its inputs included.
  package var fingerprint: Fingerprint
}

/// A versioned, ordered, typed list of features: what a model was trained on and is served with.
package struct ServicePlan: Sendable {
  package var name: String
  package var about: About?
  /// Who pays for the models that use it, unless they say so themselves.
  package var tenant: String?
  /// The vector, in its order.
  package var features: [ServiceFeaturePlan]
  /// Views whose rows a request needs, on-demand features included; ascending positions in `Plan.views`.
  package var views: [Int]
  /// Join keys that a request must bring, in the order of the views.
  package var joinKeys: [String]
  /// Request fields that a request must bring; positions in `Plan.requestFields`.
  package var requestFields: [Int]
  /// Of the promise: names, types, meanings, defaults, in order. It never changes under one name.
  package var fingerprint: Fingerprint
}

/// One value of a service's vector.
package struct ServiceFeaturePlan: Sendable {
  /// As the service names it: `view:feature`, `request:field` or the name of an on-demand feature.
  package var reference: String
  /// The short name; unique in the service, or else `view__feature`.
  package var name: String
  package var origin: ValueOrigin
  package var type: FeatureType
  /// Takes the place of a null; null when there is none.
  package var defaultValue: Value
}
