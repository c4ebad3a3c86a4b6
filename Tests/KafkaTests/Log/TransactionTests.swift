import Broker
import Core
import Testing

@testable import Kafka

/// Transactions against the embedded broker, which keeps their promises.
@Suite struct TransactionTests {
  private static let input = TopicPartition(topic: "in", partition: 0)
  private static let output = TopicPartition(topic: "out", partition: 0)

  private static func producer(_ node: Node, _ id: String) throws -> TransactionalProducer {
    let producer = try TransactionalProducer(
      ProducerConfiguration(client: node.client), TransactionConfiguration(transactionalID: id))
    try producer.initialize(timeoutMilliseconds: 10_000)
    return producer
  }

  private static func batch(_ values: [String]) throws -> ProduceBatch {
    var batch = ProduceBatch(topic: "out")
    for value in values { try batch.append(key: nil, value: value, partition: 0) }
    return batch
  }

  private static func createTopics(_ node: Node) throws {
    let failures = try Admin(node.client).createTopics([
      NewTopic(name: "in", partitionCount: 1), NewTopic(name: "out", partitionCount: 1),
    ])
    #expect(failures.isEmpty)
  }

  @Test func onlyWhatIsCommittedIsRead() async throws {
    try await withNode { node in
      try Self.createTopics(node)
      let producer = try Self.producer(node, "t1")
      try producer.begin()
      try producer.send(try Self.batch(["a", "b"]))
      // Else the abort drops them before they are sent.
      try producer.flush(timeoutMilliseconds: 10_000)
      try producer.abort(timeoutMilliseconds: 10_000)
      try producer.begin()
      try producer.send(try Self.batch(["c", "d"]))
      try producer.commit(timeoutMilliseconds: 10_000)
      let reader = try Consumer(ConsumerConfiguration(client: node.client, groupID: nil))
      try reader.assign([Self.output: .beginning])
      #expect(try reader.collect(2).map(\.value) == ["c", "d"])
      // Past the last record, and past the marker behind it.
      try reader.poll(timeoutMilliseconds: 200) { _ in }
      let end = try reader.watermarks([Self.output])[Self.output]?.end
      #expect(try reader.position(of: Self.output) == end)
      #expect(reader.counters.verifiedGaps == 1)
      try reader.close()
      producer.close()
    }
  }

  @Test func anOpenTransactionEndsTheReadableLog() async throws {
    try await withNode { node in
      try Self.createTopics(node)
      let producer = try Self.producer(node, "t2")
      try producer.begin()
      try producer.send(try Self.batch(["a"]))
      try producer.commit(timeoutMilliseconds: 10_000)
      try producer.begin()
      try producer.send(try Self.batch(["b"]))
      try producer.flush(timeoutMilliseconds: 10_000)
      let admin = try Admin(node.client)
      #expect(try admin.watermarks([Self.output]) == [Self.output: Watermarks(beginning: 0, end: 2)])
      try producer.commit(timeoutMilliseconds: 10_000)
      #expect(try admin.watermarks([Self.output]) == [Self.output: Watermarks(beginning: 0, end: 4)])
      producer.close()
    }
  }

  @Test func offsetsAreCommittedWithTheRecords() async throws {
    try await withNode { node in
      try Self.createTopics(node)
      let consumer = try Consumer(ConsumerConfiguration(client: node.client, groupID: "app"))
      try fill("in", partitions: 1, count: 10, node.client)
      try consumer.subscribe(["in"])
      #expect(try consumer.collect(10).count == 10)
      let producer = try Self.producer(node, "t3")
      for (offset, commits) in [(Int64(4), true), (7, false)] {
        try producer.begin()
        try producer.send(try Self.batch(["up to \(offset)"]))
        try producer.sendOffsets(
          [Self.input: CommittedOffset(offset: offset, metadata: "epoch \(offset)")], group: consumer.groupMetadata(),
          timeoutMilliseconds: 10_000)
        if commits {
          try producer.commit(timeoutMilliseconds: 10_000)
        } else {
          try producer.abort(timeoutMilliseconds: 10_000)
        }
      }
      let committed = CommittedOffset(offset: 4, metadata: "epoch 4")
      #expect(try consumer.committed([Self.input]) == [Self.input: committed])
      #expect(try Admin(node.client).committed(group: "app") == [Self.input: committed])
      try consumer.close()
      producer.close()
    }
  }

  @Test func aZombieIsFenced() async throws {
    try await withNode { node in
      try Self.createTopics(node)
      let old = try Self.producer(node, "worker")
      try old.begin()
      try old.send(try Self.batch(["of the zombie"]))
      try old.flush(timeoutMilliseconds: 10_000)
      let new = try Self.producer(node, "worker")
      let error = #expect(throws: HeadraceError.self) { try old.commit(timeoutMilliseconds: 10_000) }
      #expect(error?.retry == .newInstance)
      #expect(error?.isFencing == true, "\(error as Any)")
      #expect(throws: HeadraceError.self) { try old.abort(timeoutMilliseconds: 1_000) }
      old.close()
      try new.begin()
      try new.send(try Self.batch(["of the owner"]))
      try new.commit(timeoutMilliseconds: 10_000)
      let reader = try Consumer(ConsumerConfiguration(client: node.client, groupID: nil))
      try reader.assign([Self.output: .beginning])
      #expect(try reader.collect(1).map(\.value) == ["of the owner"])
      try reader.close()
      new.close()
    }
  }

  @Test func offsetsOfAReplacedMemberAreRefused() async throws {
    try await withNode { node in
      try Self.createTopics(node)
      let consumer = try Consumer(ConsumerConfiguration(client: node.client, groupID: "app"))
      try fill("in", partitions: 1, count: 1, node.client)
      try consumer.subscribe(["in"])
      #expect(try consumer.collect(1).count == 1)
      let zombie = try consumer.groupMetadata()
      try consumer.close()
      let successor = try Consumer(ConsumerConfiguration(client: node.client, groupID: "app"))
      try successor.subscribe(["in"])
      #expect(try successor.collect(1).count == 1)
      let producer = try Self.producer(node, "t5")
      try producer.begin()
      let error = #expect(throws: HeadraceError.self) {
        try producer.sendOffsets([Self.input: CommittedOffset(offset: 1)], group: zombie, timeoutMilliseconds: 10_000)
      }
      #expect(error?.retry == .abortTransaction)
      try producer.abort(timeoutMilliseconds: 10_000)
      #expect(try successor.committed([Self.input]).isEmpty)
      try successor.close()
      producer.close()
    }
  }

  /// The answer to the commit never comes; what was decided is read back by a new instance.
  @Test(arguments: ["drop-request", "drop-response"]) func anUnknownOutcomeIsReadBack(fault: String) async throws {
    try await withNode { configuration in
      configuration.faults = [try FaultRule(parsing: "EndTxn:\(fault)")]
    } _: { node in
      try Self.createTopics(node)
      try fill("in", partitions: 1, count: 10, node.client)
      let consumer = try Consumer(ConsumerConfiguration(client: node.client, groupID: "app"))
      try consumer.subscribe(["in"])
      #expect(try consumer.collect(10).count == 10)
      let producer = try Self.producer(node, "worker")
      try producer.begin()
      try producer.send(try Self.batch(["once"]))
      try producer.sendOffsets(
        [Self.input: CommittedOffset(offset: 10, metadata: "digest")], group: consumer.groupMetadata(),
        timeoutMilliseconds: 10_000)
      let error = #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 1_500) }
      #expect(error?.retry == .unknownOutcome)
      producer.close()
      let next = try Self.producer(node, "worker")
      let wasCommitted = fault == "drop-response"
      let expected = wasCommitted ? CommittedOffset(offset: 10, metadata: "digest") : nil
      #expect(try consumer.committed([Self.input])[Self.input] == expected)
      let end = try consumer.watermarks([Self.output])[Self.output]?.end
      let reader = try Consumer(ConsumerConfiguration(client: node.client, groupID: nil))
      try reader.assign([Self.output: .beginning])
      #expect(try reader.collect(wasCommitted ? 1 : 0).map(\.value) == (wasCommitted ? ["once"] : []))
      #expect(end == 2)
      try reader.close()
      try consumer.close()
      next.close()
    }
  }
}
