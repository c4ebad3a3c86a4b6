internal import Columns

/// Columns of the tables `predictions/<model>` and `labels/<model>`: what a model has said, and what turned out to be
/// true, record by record of their topics.
package enum ModelArchive {
  /// Of a prediction: what its record says, member by member; lists as the text of a JSON array. Behind them `record`.
  package static let predictionFields: [OfflineTable.Field] =
    [
      .init("id", .string, comment: "topic-partition-offset/model of the event"),
      .init("model_version", .string, comment: "SHA-256 of the model's file; null of a constant"),
      .init("version", .integer, comment: "in the registry; null of a file of the topology's folder"),
      .init("arm", .string, comment: "champion, canary, split or fallback; null where there is no choice"),
      .init("service", .string),
      .init("service_version", .string),
      .init("score", .double),
      .init("scores", .string, comment: "a JSON array, of a model with several outputs"),
      .init("label", .integer, comment: "1 and 0 for yes and no, or the position of the largest score"),
      .init("features", .string, comment: "a JSON array: the vector, where predictions carry it"),
      .init("features_hash", .string),
      .init("missing_views", .string, comment: "a JSON array"),
      .init("topic", .string, comment: "of the event"),
      .init("partition", .integer, comment: "of the event"),
      .init("offset", .integer, comment: "of the event"),
      .init("event_time", .timestamp, comment: "of the event"),
      .init("latency_ms", .integer),
      .init("scoring_ns", .integer),
      .init("cost", .double),
      .init("currency", .string),
      .init("error", .string),
      .init("failed", .string),
      .init("revision", .integer, comment: "of a correction; null of the first prediction for an event"),
    ] + record

  /// - Parameter match: the field by which labels find their predictions.
  package static func labelFields(match: OfflineTable.Field) -> [OfflineTable.Field] {
    [
      match, .init("label", .double, comment: "the truth; 1 and 0 for yes and no"),
      .init("event_time", .timestamp, comment: "of the event that says it"),
    ] + record
  }

  /// The record that made the row.
  package static let record: [OfflineTable.Field] = [
    .init("_known_at", .timestamp),
    .init("_topic", .string, isNullable: false),
    .init("_partition", .integer, isNullable: false),
    .init("_offset", .integer, isNullable: false),
  ]
}
