import Core
import Testing

@testable import Kafka

/// The client against librdkafka's own broker: what needs no log that is true to Kafka.
@Suite struct MockClusterTests {
  @Test func recordsComeBackAsTheyWere() async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("events", partitionCount: 1)
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      let producer = try Producer(ProducerConfiguration(client: client))
      var batch = ProduceBatch(topic: "events")
      try batch.append(key: "a", value: "1", timestampMilliseconds: 1_700_000_000_000, partition: 0)
      try batch.appendHeader("trace", "xyz")
      try batch.appendHeader("empty", nil)
      try batch.append(key: "a", value: nil, timestampMilliseconds: 1_700_000_000_001, partition: 0)
      try batch.append(key: nil, value: "", timestampMilliseconds: 1_700_000_000_002, partition: 0)
      try batch.append(key: "", value: "x", timestampMilliseconds: 1_700_000_000_003, partition: 0)
      let report = try producer.sendAndWait(batch, timeoutMilliseconds: 10_000)
      #expect(report.acknowledged == 4 && report.failed == 0)
      #expect(report.offsets == [.init(partition: 0, count: 4, first: 0, last: 3)])

      let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
      try consumer.assign([TopicPartition(topic: "events", partition: 0): .beginning])
      let seen = try consumer.collect(4)
      try #require(seen.count == 4)
      #expect(
        seen == [
          SeenRecord(
            partition: 0, offset: 0, key: "a", value: "1", timestampMilliseconds: 1_700_000_000_000,
            headers: ["trace=xyz", "empty=null"]),
          SeenRecord(partition: 0, offset: 1, key: "a", value: nil, timestampMilliseconds: 1_700_000_000_001),
          SeenRecord(partition: 0, offset: 2, key: nil, value: "", timestampMilliseconds: 1_700_000_000_002),
          SeenRecord(partition: 0, offset: 3, key: "", value: "x", timestampMilliseconds: 1_700_000_000_003),
        ])
      #expect(try consumer.close())
      #expect(try consumer.close())
      producer.close()
    }
  }
}
