package import RemoteModels

/// How predictions of a model are written.
package enum PredictionFormat: String, Sendable, CaseIterable { case json }

/// What a prediction says of the features behind it.
package enum PredictionFeatures: String, Sendable, CaseIterable { case hash, full, none }

/// A model that scores the events of its source where they are applied.
package struct StreamModelPlan: Sendable, Hashable {
  /// nil for a model of the registry: which version scores is decided there.
  package var file: ModelFile?
  /// The endpoint that scores, for a model that is neither a file nor one of the registry.
  package var remote: RemoteModelPlan?
  /// Where versions that are only compared write to.
  package var shadowTopic: String
  /// What takes the place of a version that fails for an event, in this order.
  package var fallbacks: [ModelFallback]
  /// A score from here on up is a yes; nil: predictions have no label.
  package var threshold: Double?
  package var format: PredictionFormat
  package var features: PredictionFeatures
  /// Where the service's request fields are in the scope of the model's source, in the order of
  /// `ServicePlan.requestFields`.
  package var requestColumns: [Int]
  /// The same of the join keys of each of `ServicePlan.views`, in its order.
  package var keyColumns: [[Int]]
}

/// A model behind an endpoint.
package struct RemoteModelPlan: Sendable, Hashable {
  package var configuration: RemoteModelConfiguration
  /// SHA-256 of what decides about its scores, in hexadecimal: the version that predictions name. What the endpoint
  /// itself runs is not known here.
  package var contentHash: String
}

/// What scores an event in the place of a version that failed.
package enum ModelFallback: Sendable, Hashable, CustomStringConvertible {
  case model(ModelReference)
  case constant(Double)

  package var description: String {
    switch self {
    case .model(let reference): reference.description
    case .constant(let score): "\(score)"
    }
  }
}

/// A model's file, by its content: two files of the same bytes are the same version.
package struct ModelFile: Sendable, Hashable {
  /// As the topology names it.
  package var path: String
  /// SHA-256 of its bytes, in hexadecimal: the version that predictions name.
  package var contentHash: String
  /// One line for a person.
  package var summary: String
  package var featureCount: Int
  /// Scores of one event.
  package var outputCount: Int

  package init(path: String, contentHash: String, summary: String, featureCount: Int, outputCount: Int) {
    self.path = path
    self.contentHash = contentHash
    self.summary = summary
    self.featureCount = featureCount
    self.outputCount = outputCount
  }
}
