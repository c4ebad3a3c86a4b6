internal import Core
package import Kafka
internal import Topology

/// A prediction as it stands in its topic: what the stream said, and by which version.
package struct RecordedPrediction: Sendable, Equatable {
  package var offset: Int64
  /// SHA-256 of the model's file; nil of a constant.
  package var modelVersion: String?
  /// Its number in the registry; nil of a file of the topology's folder.
  package var version: Int?
  /// `champion`, `canary`, `split` or `fallback`, of a model of the registry.
  package var arm: String?
  package var serviceVersion: String?
  /// Nil when it had no number, or several.
  package var score: Double?
  package var error: String?

  init?(_ record: [UInt8], offset: Int64) {
    guard let document = try? JSONDocument(record, depthMax: 8), document["id"] != nil else { return nil }
    self.offset = offset
    modelVersion = document["model_version"]?.string
    version = document["version"]?.integer.map(Int.init)
    arm = document["arm"]?.string
    serviceVersion = document["service_version"]?.string
    score = document["score"]?.double
    error = document["error"]?.string
  }
}

extension RecordedPrediction {
  private static let seconds: Int64 = 30

  /// Looks for a prediction in the partition of its event's number, from the event's own time on: nobody predicts
  /// earlier.
  ///
  /// - Returns: nil when the topic does not have it, or no longer.
  package static func find(
    _ id: PredictionID, in topic: String, sinceMilliseconds: Int64, _ client: ClientConfiguration
  ) throws -> RecordedPrediction? {
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.reportsPartitionEnds = true
    configuration.outOfRange = .earliest
    let consumer = try Consumer(configuration)
    defer { _ = try? consumer.close(timeoutMilliseconds: 1_000) }
    let partition = TopicPartition(topic: topic, partition: id.partition)
    try consumer.assign([partition: .time(sinceMilliseconds)])
    // Every prediction begins with its id.
    let head = Array("{\"id\":\"\(id.topic)-\(id.partition)-\(id.offset)/\(id.model)\"".utf8)
    let deadline = WallClock.monotonic.nowMilliseconds + seconds * 1_000
    var found: RecordedPrediction?
    while found == nil, WallClock.monotonic.nowMilliseconds < deadline {
      let result = try consumer.poll(timeoutMilliseconds: 200) { records in
        for index in records.indices where found == nil {
          guard let value = records[index].value, value.byteCount > head.count else { continue }
          let bytes = unsafe value.withUnsafeBytes { bytes in
            unsafe bytes.starts(with: head) ? unsafe Array(bytes) : nil
          }
          found = bytes.flatMap { RecordedPrediction($0, offset: records[index].offset) }
        }
      }
      if !result.endsReached.isEmpty { break }
    }
    return found
  }
}

extension PredictionExplainer {
  /// The topic that a model's predictions go to; nil when the topology has no such model.
  package func outputTopic(of id: PredictionID) -> String? {
    plan.models.first { $0.name == id.model }?.outputTopic
  }
}
