import Core
import Testing

@testable import Kafka

/// Pauses, resumes and seeks at random while records flow: the bugs of old librdkafka versions in exactly these calls
/// must not get through.
@Suite struct InterruptionTests {
  @Test(arguments: [UInt64(1), 2, 3]) func everyOffsetComesOnceAndInOrder(seed: UInt64) async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("flow", partitionCount: 3)
    try await onThread { try Self.run(seed: seed, bootstrap: cluster.bootstrapServers, perPartition: 4_000) }
  }

  static func run(seed: UInt64, bootstrap: String, perPartition: Int) throws {
    let client = ClientConfiguration(bootstrapServers: bootstrap)
    try fill("flow", partitions: 3, count: perPartition, client)
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.batchRecordsMaximum = 200
    let consumer = try Consumer(configuration)
    let partitions = (0..<Int32(3)).map { TopicPartition(topic: "flow", partition: $0) }
    try consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }))
    var random = SplitMix64(seed: seed)
    var expected = Dictionary(uniqueKeysWithValues: partitions.map { ($0, Int64(0)) })
    var handedOver = 0
    let deadline = WallClock.monotonic.nowMilliseconds + 60_000
    while expected.values.contains(where: { $0 < Int64(perPartition) }) {
      try #require(WallClock.monotonic.nowMilliseconds < deadline, "seed \(seed): stuck at \(expected)")
      try consumer.poll(timeoutMilliseconds: 20) { batch in
        #expect(batch.firstOffset == expected[batch.partition], "seed \(seed): \(batch.partition)")
        for index in batch.indices {
          #expect(batch[index].offset == batch.firstOffset + Int64(index), "seed \(seed): \(batch.partition)")
          #expect(batch[index].value.text == "\(batch.partition.partition):\(batch[index].offset)")
        }
        guard random.below(10) > 0 else { throw Refusal() }
        handedOver += batch.count
        expected[batch.partition] = batch.nextOffset
        try Self.interrupt(consumer, batch.partition, &random, &expected, insideBatch: true)
      } onRefusal: {
      }
      try Self.interrupt(consumer, partitions[Int(random.below(3))], &random, &expected, insideBatch: false)
    }
    #expect(handedOver >= perPartition * 3)
    try consumer.close()
  }

  /// The closure did not want the batch: it comes again.
  struct Refusal: Error {}

  private static func interrupt(
    _ consumer: Consumer, _ partition: TopicPartition, _ random: inout SplitMix64,
    _ expected: inout [TopicPartition: Int64], insideBatch: Bool
  ) throws {
    switch random.below(insideBatch ? 12 : 6) {
    case 0: try consumer.pause([partition])
    case 1: try consumer.resume(consumer.paused)
    case 2:
      let position = expected[partition] ?? 0
      let target = max(position - Int64(random.below(300)), 0)
      try consumer.seek(partition, to: target)
      expected[partition] = target
    default: break
    }
    if consumer.paused.count == 3 { try consumer.resume(consumer.paused) }
  }
}

extension Consumer {
  fileprivate func poll(
    timeoutMilliseconds: Int32, _ body: (borrowing ConsumedBatch) throws -> Void, onRefusal: () -> Void
  ) throws {
    do { try poll(timeoutMilliseconds: timeoutMilliseconds, body) } catch is InterruptionTests.Refusal { onRefusal() }
  }
}

/// Writes `count` records per partition whose value says where they lie: `partition:offset`.
func fill(_ topic: String, partitions: Int32, count: Int, _ client: ClientConfiguration) throws {
  let producer = try Producer(ProducerConfiguration(client: client))
  defer { producer.close() }
  for partition in 0..<partitions {
    var batch = ProduceBatch(topic: topic)
    for offset in 0..<count { try batch.append(key: nil, value: "\(partition):\(offset)", partition: partition) }
    try producer.send(batch)
  }
  try producer.flush(timeoutMilliseconds: 20_000)
}
