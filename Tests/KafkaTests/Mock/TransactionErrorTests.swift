import Core
import Testing

@testable import Kafka

/// What a transactional producer makes of errors, as the mock cluster can raise them.
@Suite struct TransactionErrorTests {
  private enum Request {
    static let produce: Int16 = 0
    static let endTransaction: Int16 = 26
  }

  /// A producer inside of a transaction with one record.
  private static func begin(
    _ cluster: MockCluster, _ id: String, _ change: (inout ProducerConfiguration) -> Void = { _ in }
  ) throws -> TransactionalProducer {
    let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
    var configuration = ProducerConfiguration(client: client)
    change(&configuration)
    let producer = try TransactionalProducer(configuration, TransactionConfiguration(transactionalID: id))
    try producer.initialize(timeoutMilliseconds: 10_000)
    try producer.begin()
    try producer.send(try record())
    return producer
  }

  private static func record(_ value: String = "1") throws -> ProduceBatch {
    var batch = ProduceBatch(topic: "out")
    try batch.append(key: nil, value: value, partition: 0)
    return batch
  }

  private static func cluster() throws -> MockCluster {
    let cluster = try MockCluster()
    try cluster.createTopic("out", partitionCount: 1)
    return cluster
  }

  @Test func transactionsFollowOneAnother() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-1")
      try producer.commit(timeoutMilliseconds: 10_000)
      try producer.begin()
      try producer.send(try Self.record())
      try producer.abort(timeoutMilliseconds: 10_000)
      try producer.begin()
      try producer.commit(timeoutMilliseconds: 10_000)
      producer.close()
    }
  }

  @Test func callsOutOfOrderAreRefused() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-2")
      let error = #expect(throws: HeadraceError.self) { try producer.begin() }
      #expect(error?.code == "TRANSACTION_STATE")
      try producer.commit(timeoutMilliseconds: 10_000)
      #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 10_000) }
      producer.close()
    }
  }

  @Test func aCommitWithoutAnswerHasAnUnknownOutcome() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-3")
      // The coordinator is busy for longer than the caller waits.
      cluster.failRequests(
        apiKey: Request.endTransaction, with: Array(repeating: .coordinatorLoading, count: 1_000))
      let error = #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 1_000) }
      #expect(error?.retry == .unknownOutcome)
      let again = #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 1_000) }
      #expect(again?.retry == .unknownOutcome)
      #expect(throws: HeadraceError.self) { try producer.abort(timeoutMilliseconds: 1_000) }
      producer.close()
    }
  }

  @Test func aFencedProducerIsNotReplacedBlindly() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-4")
      cluster.failRequests(apiKey: Request.endTransaction, with: [.invalidProducerEpoch])
      let error = #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 10_000) }
      #expect(error?.retry == .newInstance)
      #expect(error?.isFencing == true)
      producer.close()
    }
  }

  @Test func beginDoesNotHangAfterAFatalError() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-5")
      try producer.commit(timeoutMilliseconds: 10_000)
      try producer.begin()
      cluster.failRequests(apiKey: Request.produce, with: [.invalidProducerEpoch, .invalidProducerEpoch])
      cluster.failRequests(apiKey: 22, with: Array(repeating: .producerFenced, count: 10))
      try producer.send(try Self.record())
      #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 10_000) }
      let start = WallClock.monotonic.nowMilliseconds
      #expect(throws: HeadraceError.self) { try producer.begin() }
      #expect(WallClock.monotonic.nowMilliseconds - start < 1_000)
      producer.close()
    }
  }

  /// librdkafka before 1.8.2 went on with a new transaction here, and lost the first one's records without a word.
  @Test func anOutOfOrderSequenceEndsTheTransaction() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-6")
      try producer.commit(timeoutMilliseconds: 10_000)
      try producer.begin()
      cluster.failRequests(apiKey: Request.produce, with: [.init(rawValue: 45)])
      try producer.send(try Self.record())
      let error = #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 10_000) }
      #expect(error?.retry == .abortTransaction || error?.retry == .newInstance)
      if error?.retry == .abortTransaction {
        try producer.abort(timeoutMilliseconds: 10_000)
        try producer.begin()
        try producer.send(try Self.record())
        try producer.commit(timeoutMilliseconds: 10_000)
      }
      producer.close()
    }
  }

  @Test func aRecordThatCannotBeSentFailsTheCommit() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let producer = try Self.begin(cluster, "worker-7")
      try producer.send(try Self.record(String(repeating: "x", count: 2_000_000)))
      let error = #expect(throws: HeadraceError.self) { try producer.commit(timeoutMilliseconds: 10_000) }
      #expect(error?.retry == .abortTransaction)
      #expect(error?.code == "MSG_SIZE_TOO_LARGE")
      #expect(throws: HeadraceError.self) { try producer.send(try Self.record()) }
      try producer.abort(timeoutMilliseconds: 10_000)
      try producer.begin()
      try producer.commit(timeoutMilliseconds: 10_000)
      producer.close()
    }
  }

  @Test func metadataOfOffsetsIsAscii() async throws {
    try await onThread {
      let cluster = try Self.cluster()
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      let producer = try Self.begin(cluster, "worker-8")
      let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: "g"))
      let offsets = [TopicPartition(topic: "out", partition: 0): CommittedOffset(offset: 1, metadata: "ü")]
      let error = #expect(throws: HeadraceError.self) {
        try producer.sendOffsets(offsets, group: consumer.groupMetadata(), timeoutMilliseconds: 1_000)
      }
      #expect(error?.code == "OFFSET_METADATA")
      try consumer.close()
      producer.close()
    }
  }
}
