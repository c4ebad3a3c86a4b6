package import Contracts
package import Inference
package import RemoteModels

/// How predictions of a model are written.
package enum PredictionFormat: String, Sendable, CaseIterable {
  /// One JSON object.
  case json
  /// Avro's binary encoding of `PredictionSchema`, without anything around it.
  case avro
  /// The same behind a zero byte and the schema's id at the schema registry.
  case avroConfluent = "avro-confluent"

  /// How a reader of contracts calls it.
  package var payload: PayloadFormat {
    switch self {
    case .json: .json
    case .avro: .avro
    case .avroConfluent: .avroConfluent
    }
  }
}

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
  /// How long a local version may take for one batch; nil: as long as it takes.
  package var timeoutMilliseconds: Int64?
  /// Rows that a local version scores at a time; nil: all that a poll brought.
  package var batchRowsMax: Int?
  /// How every local version keeps the weights of its dense layers, wherever it scores: in the stream, for requests,
  /// in a trial, in a correction.
  package var weights = CompileOptions.Weights.float32
  package var format: PredictionFormat
  package var features: PredictionFeatures
  /// Where the service's request fields are in the scope of the model's source, in the order of
  /// `ServicePlan.requestFields`.
  package var requestColumns: [Int]
  /// The same of the join keys of each of `ServicePlan.views`, in its order.
  package var keyColumns: [[Int]]
}

/// Requests that come through a topic, and are answered in another one.
package struct RequestsPlan: Sendable, Hashable {
  package var topic: String
  /// Where answers go, unless a request names one of `replyTopics`.
  package var responseTopic: String
  package var replyTopics: [String]
  /// A request without a deadline of its own is answered for so long after its record's timestamp; nil: for ever.
  package var withinMilliseconds: Int64?
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
