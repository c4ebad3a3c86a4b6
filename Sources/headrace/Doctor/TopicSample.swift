internal import Core
internal import Kafka

/// The newest records of a topic.
struct TopicSample: Sendable {
  /// nil: a tombstone.
  var values: [[UInt8]?] = []
  /// nil: the topic is empty.
  var newestTimestampMilliseconds: Int64?

  /// Reads at most so many records of each partition; blocks.
  ///
  /// - Parameter topics: those that exist.
  static func read(
    _ topics: [String], recordsMax: Int64, _ client: ClientConfiguration
  ) throws -> [String: TopicSample] {
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.reportsPartitionEnds = true
    let consumer = try Consumer(configuration)
    defer { _ = try? consumer.close() }
    var partitions: [TopicPartition] = []
    for topic in topics {
      partitions += (0..<(try consumer.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
    }
    var starts: [TopicPartition: StartOffset] = [:]
    for (partition, marks) in try consumer.watermarks(partitions) where marks.end > marks.beginning {
      starts[partition] = .offset(max(marks.beginning, marks.end - recordsMax))
    }
    var samples = Dictionary(uniqueKeysWithValues: Set(topics).map { ($0, TopicSample()) })
    guard !starts.isEmpty else { return samples }
    try consumer.assign(starts)
    var open = Set(starts.keys)
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(client.requestTimeoutMilliseconds)
    while !open.isEmpty && WallClock.monotonic.nowMilliseconds < deadline {
      let result = try consumer.poll(timeoutMilliseconds: 100) { batch in
        for index in batch.indices { samples[batch.partition.topic]?.append(batch[index]) }
      }
      open.subtract(result.endsReached)
    }
    return samples
  }

  private mutating func append(_ record: borrowing ConsumedRecord) {
    let timestamp = record.timestampMilliseconds
    if timestamp > 0 { newestTimestampMilliseconds = max(newestTimestampMilliseconds ?? 0, timestamp) }
    values.append(unsafe record.valueBytes.map { unsafe Array($0) })
  }
}
