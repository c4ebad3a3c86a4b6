internal import Core
internal import Kafka

/// The newest records of a topic.
struct TopicSample: Sendable {
  /// nil: a tombstone.
  var values: [[UInt8]?] = []
  /// nil: the topic is empty.
  var newestTimestampMilliseconds: Int64?

  /// Reads at most so many records of each partition; blocks.
  static func read(
    _ topic: String, recordsMax: Int64, _ client: ClientConfiguration
  ) throws -> TopicSample {
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.reportsPartitionEnds = true
    let consumer = try Consumer(configuration)
    defer { _ = try? consumer.close() }
    let partitions = (0..<(try consumer.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
    var starts: [TopicPartition: StartOffset] = [:]
    for (partition, marks) in try consumer.watermarks(partitions) where marks.end > marks.beginning {
      starts[partition] = .offset(max(marks.beginning, marks.end - recordsMax))
    }
    var sample = TopicSample()
    guard !starts.isEmpty else { return sample }
    try consumer.assign(starts)
    var open = Set(starts.keys)
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(client.requestTimeoutMilliseconds)
    while !open.isEmpty && WallClock.monotonic.nowMilliseconds < deadline {
      let result = try consumer.poll(timeoutMilliseconds: 100) { batch in
        for index in batch.indices { sample.append(batch[index]) }
      }
      open.subtract(result.endsReached)
    }
    return sample
  }

  private mutating func append(_ record: borrowing ConsumedRecord) {
    let timestamp = record.timestampMilliseconds
    if timestamp > 0 { newestTimestampMilliseconds = max(newestTimestampMilliseconds ?? 0, timestamp) }
    values.append(record.value.map { value in value.withUnsafeBytes { unsafe Array($0) } })
  }
}
