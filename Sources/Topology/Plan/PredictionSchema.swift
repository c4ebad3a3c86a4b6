package import Contracts
package import Core

/// The Avro schema of the records that a model writes: a function of the model's declaration alone, so that a consumer
/// can have it before the first prediction. It says what the JSON record says, field by field; what JSON leaves out is
/// null.
package struct PredictionSchema: Sendable, Hashable {
  /// With a threshold there is one score and the label is a decision; without one there may be several.
  package let hasThreshold: Bool
  package let features: PredictionFeatures
  /// Of a version that is only compared.
  package let isShadow: Bool
  package let topic: String

  package init(_ model: ModelPlan, _ stream: StreamModelPlan, isShadow: Bool) {
    hasThreshold = stream.threshold != nil
    features = stream.features
    self.isShadow = isShadow
    topic = isShadow ? stream.shadowTopic : model.outputTopic
  }

  /// Where a schema registry keeps it, by Confluent's rule for values.
  package var subject: String { "\(topic)-value" }

  private static let nullableText = #"["null","string"]"#
  private static let nullableInt = #"["null","int"]"#
  private static let nullableLong = #"["null","long"]"#
  private static let nullableDouble = #"["null","double"]"#

  /// Names, types and what they say, in the order of the record.
  private var fields: [(name: String, type: String, about: String)] {
    var fields = [
      ("id", #""string""#, "topic-partition-offset/model of the event; the same for every life of a worker."),
      ("model", #""string""#, "The model's name in the topology."),
      ("model_version", Self.nullableText, "SHA-256 of the model's file; null of a constant."),
      ("version", Self.nullableInt, "The version in the registry; null of a file of the topology's folder."),
      ("arm", Self.nullableText, "champion, canary, split, fallback or shadow; null where there is no choice."),
      ("service", #""string""#, "The feature service."),
      ("service_version", #""string""#, "Fingerprint of the feature service."),
      ("score", Self.nullableDouble, "Null when the model gave no number, or several."),
    ]
    if hasThreshold {
      fields.append(("label", #"["null","boolean"]"#, "Whether the score reaches the threshold."))
    } else {
      fields.append(
        ("scores", #"["null",{"type":"array","items":["null","double"]}]"#, "Of a model with several outputs."))
      fields.append(("label", Self.nullableInt, "The position of the largest of several scores."))
    }
    switch features {
    case .none: break
    case .full:
      fields.append(
        ("features", #"{"type":"array","items":["null","float"]}"#, "The vector that was scored; null is missing."))
    case .hash: fields.append(("features_hash", #""string""#, "Of the vector that was scored, hexadecimal."))
    }
    fields += [
      (
        "missing_views", #"{"type":"array","items":"string"}"#,
        "Views whose rows could not be asked for: their features are the service's defaults."
      ),
      ("topic", #""string""#, "Of the event."), ("partition", #""int""#, "Of the event."),
      ("offset", #""long""#, "Of the event."),
      ("event_time", #"{"type":"long","logicalType":"timestamp-millis"}"#, "Of the event."),
      ("latency_ms", Self.nullableLong, "From the event's record timestamp to the prediction."),
      ("scoring_ns", Self.nullableLong, "What scoring took, while several versions take part."),
      ("cost", Self.nullableDouble, "An estimate of what this prediction cost; null without a price book."),
      ("currency", Self.nullableText, "Of the cost."),
      ("error", Self.nullableText, "Why the version that should have answered did not."),
      ("failed", Self.nullableText, "challenger: it was the challenger."),
    ]
    guard isShadow else { return fields }
    return fields + [
      ("answered_version", #""int""#, "The version that answered; 0 of a file or a constant."),
      ("answered_score", Self.nullableDouble, "What it said."),
      ("agrees", #"["null","boolean"]"#, "Whether both decide alike."),
      ("difference", Self.nullableDouble, "This score minus the answered one; the largest of several."),
    ]
  }

  /// How the text of every such schema begins: what has it may be written anew.
  package static let origin = "Written by Headrace"

  /// The schema's text, a field a line.
  package var json: String {
    let lines = fields.map { field in
      var about: [UInt8] = []
      JSONText.appendString(field.about, to: &about)
      // Null comes first in a union: it is what a reader finds where an older writer had no such field.
      let missing = field.type.hasPrefix("[") ? ",\"default\":null" : ""
      return
        "    {\"name\": \"\(field.name)\", \"type\": \(field.type), \"doc\": "
        + "\(String(decoding: about, as: UTF8.self))\(missing)}"
    }
    return """
      {
        "type": "record",
        "name": "\(isShadow ? "ShadowPrediction" : "Prediction")",
        "namespace": "headrace",
        "doc": "\(Self.origin): predictions in topic \(topic).",
        "fields": [
      \(lines.joined(separator: ",\n"))
        ]
      }

      """
  }

  /// - Throws: never in practice: the text is ours.
  package func schema() throws(HeadraceError) -> AvroSchema {
    try AvroSchema(json: Array(json.utf8), place: "predictions of \(topic)")
  }
}

extension Plan {
  /// The schemas of everything that models of this plan write in Avro, with the format; each topic once.
  package var predictionSchemas: [(format: PredictionFormat, schema: PredictionSchema)] {
    var found: [(format: PredictionFormat, schema: PredictionSchema)] = []
    for model in models {
      guard let stream = model.stream, stream.format != .json else { continue }
      let mayCompare = model.use != nil || model.shadow != nil
      for isShadow in mayCompare ? [false, true] : [false] {
        let schema = PredictionSchema(model, stream, isShadow: isShadow)
        if !found.contains(where: { $0.schema.topic == schema.topic }) { found.append((stream.format, schema)) }
      }
    }
    return found
  }
}
