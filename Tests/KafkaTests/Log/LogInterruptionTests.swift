import Core
import Testing

@testable import Kafka

/// Pauses, resumes, seeks and refusals at random over a log with holes: transaction markers and aborted records.
@Suite struct LogInterruptionTests {
  private static let partitions = (0..<Int32(3)).map { TopicPartition(topic: "flow", partition: $0) }

  @Test func everyOffsetComesOnceAndInOrder() async throws {
    try await withNode { node in
      try Admin(node.client).createTopic(NewTopic(name: "flow", partitionCount: 3))
      try Self.write(node, seed: 11)
      let log = try Self.readInOnePiece(node)
      for seed in UInt64(1)...4 { try Self.readWithInterruptions(node, log, seed: seed) }
    }
  }

  /// Transactions of random length over all partitions, a third of them aborted.
  private static func write(_ node: Node, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let producer = try TransactionalProducer(
      ProducerConfiguration(client: node.client), TransactionConfiguration(transactionalID: "flow"))
    try producer.initialize(timeoutMilliseconds: 10_000)
    var sequence: [TopicPartition: Int] = [:]
    for _ in 0..<120 {
      let isAborted = random.below(3) == 0
      try producer.begin()
      var batch = ProduceBatch(topic: "flow")
      for partition in partitions {
        for _ in 0..<random.below(80) {
          let number = isAborted ? -1 : sequence[partition, default: 0]
          try batch.append(key: nil, value: "\(number)", partition: partition.partition)
          if !isAborted { sequence[partition, default: 0] += 1 }
        }
      }
      try producer.send(batch)
      if isAborted {
        try producer.flush(timeoutMilliseconds: 10_000)
        try producer.abort(timeoutMilliseconds: 10_000)
      } else {
        try producer.commit(timeoutMilliseconds: 10_000)
      }
    }
    producer.close()
  }

  /// The offsets of each partition's readable records, by one reader that nothing disturbs.
  private static func readInOnePiece(_ node: Node) throws -> [TopicPartition: [Int64]] {
    let reader = try Consumer(ConsumerConfiguration(client: node.client, groupID: nil))
    try reader.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }))
    let ends = try reader.watermarks(partitions).mapValues(\.end)
    var log: [TopicPartition: [Int64]] = [:]
    let deadline = WallClock.monotonic.nowMilliseconds + 30_000
    while try partitions.contains(where: { try reader.position(of: $0) < ends[$0] ?? 0 }) {
      try #require(WallClock.monotonic.nowMilliseconds < deadline)
      try reader.poll(timeoutMilliseconds: 100) { batch in
        for record in batch.seen() {
          #expect(record.value == "\(log[batch.partition, default: []].count)")
          log[batch.partition, default: []].append(record.offset)
        }
      }
    }
    try reader.close()
    return log
  }

  private struct Refusal: Error {}

  private static func readWithInterruptions(_ node: Node, _ log: [TopicPartition: [Int64]], seed: UInt64) throws {
    var configuration = ConsumerConfiguration(client: node.client, groupID: nil)
    configuration.batchRecordsMaximum = 64
    // A small prefetch makes the library fetch, stop and resume by itself as well.
    configuration.prefetchKibibytesMaximum = seed % 2 == 0 ? 1 : 65_536
    let reader = try Consumer(configuration)
    try reader.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }))
    var random = SplitMix64(seed: seed)
    /// How many of its records each partition has handed over.
    var progress = Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) })
    let deadline = WallClock.monotonic.nowMilliseconds + 60_000
    while progress.contains(where: { $0.value < log[$0.key, default: []].count }) {
      try #require(WallClock.monotonic.nowMilliseconds < deadline, "seed \(seed): stuck at \(progress)")
      do {
        try reader.poll(timeoutMilliseconds: 20) { batch in
          let offsets = log[batch.partition, default: []]
          let start = progress[batch.partition, default: 0]
          let end = start + batch.count
          try #require(end <= offsets.count, "seed \(seed): more records than there are")
          #expect(batch.indices.map { batch[$0].offset } == Array(offsets[start..<end]), "seed \(seed)")
          guard random.below(12) > 0 else { throw Refusal() }
          progress[batch.partition] = end
          if random.below(6) == 0 { try interrupt(reader, log, &random, &progress) }
        }
      } catch is Refusal { continue }
      if random.below(4) == 0 { try interrupt(reader, log, &random, &progress) }
      if reader.paused.count == partitions.count { try reader.resume(reader.paused) }
    }
    let counters = reader.counters
    print("seed \(seed): \(counters)")
    #expect(counters.verifiedGaps > 0, "seed \(seed): the log has holes, and reading was interrupted often")
    try reader.close()
  }

  private static func interrupt(
    _ reader: Consumer, _ log: [TopicPartition: [Int64]], _ random: inout SplitMix64,
    _ progress: inout [TopicPartition: Int]
  ) throws {
    let partition = partitions[Int(random.below(3))]
    switch random.below(3) {
    case 0: try reader.pause([partition])
    case 1: try reader.resume(reader.paused)
    default:
      // Anywhere near, on a record or in a hole; never so far back that reading would not end.
      let offsets = log[partition, default: []]
      let here = progress[partition, default: 0]
      let position = here < offsets.count ? offsets[here] : offsets.last.map { $0 + 1 } ?? 0
      let target = max(position - Int64(random.below(40)), 0)
      try reader.seek(partition, to: target)
      progress[partition] = offsets.firstIndex { $0 >= target } ?? offsets.count
    }
  }
}
