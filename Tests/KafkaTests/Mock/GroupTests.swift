import Core
import Testing

@testable import Kafka

/// Rebalances, commits and what the listener hears of them.
@Suite struct GroupTests {
  @Test func aGroupReadsOnFromItsCommit() async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("work", partitionCount: 1)
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      try fill("work", partitions: 1, count: 100, client)
      let partition = TopicPartition(topic: "work", partition: 0)
      let first = try Consumer(ConsumerConfiguration(client: client, groupID: "readers"))
      try first.subscribe(["work"])
      #expect(try first.collect(100).count == 100)
      try first.commit([partition: CommittedOffset(offset: 42, metadata: "fingerprint 7")])
      #expect(try first.committed([partition]) == [partition: CommittedOffset(offset: 42, metadata: "fingerprint 7")])
      #expect(try first.close())

      let listener = Recorder()
      let second = try Consumer(ConsumerConfiguration(client: client, groupID: "readers"), listener: listener)
      try second.subscribe(["work"])
      #expect(try second.collect(58).map(\.offset) == Array(42..<100))
      #expect(
        listener.assigned == [
          [
            AssignedPartition(
              partition: partition, committed: CommittedOffset(offset: 42, metadata: "fingerprint 7"))
          ]
        ])
      #expect(try second.close())
      #expect(listener.revoked == [[partition]])
    }
  }

  @Test func theListenerMayChooseTheStart() async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("work", partitionCount: 1)
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      try fill("work", partitions: 1, count: 20, client)
      let listener = Recorder()
      listener.starts = [TopicPartition(topic: "work", partition: 0): 15]
      let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: "readers"), listener: listener)
      try consumer.subscribe(["work"])
      #expect(try consumer.collect(5).map(\.offset) == Array(15..<20))
      try consumer.close()
    }
  }

  @Test(arguments: [ConsumerConfiguration.AssignmentStrategy.range, .cooperativeSticky])
  func aSecondMemberTakesItsShare(strategy: ConsumerConfiguration.AssignmentStrategy) async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("work", partitionCount: 4)
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      try fill("work", partitions: 4, count: 50, client)
      var configuration = ConsumerConfiguration(client: client, groupID: "pair")
      configuration.assignment = strategy
      let heard = (Recorder(), Recorder())
      let first = try Consumer(configuration, listener: heard.0)
      try first.subscribe(["work"])
      var seen = try first.collect(200)
      let second = try Consumer(configuration, listener: heard.1)
      try second.subscribe(["work"])
      // The mock lets members wait for one another, round by round.
      let deadline = WallClock.monotonic.nowMilliseconds + 90_000
      while first.assignment.count != 2 || second.assignment.count != 2 {
        try #require(WallClock.monotonic.nowMilliseconds < deadline)
        try first.poll(timeoutMilliseconds: 20) { seen += $0.seen() }
        try second.poll(timeoutMilliseconds: 20) { seen += $0.seen() }
      }
      #expect(Set(first.assignment + second.assignment).count == 4)
      #expect(heard.0.revoked.flatMap { $0 }.count >= 2)
      #expect(Set(seen.compactMap(\.value)).count == 200)
      #expect(try first.close())
      #expect(try second.close())
    }
  }

  @Test func aStaticMemberComesBackWithoutRebalance() async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("work", partitionCount: 2)
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      try fill("work", partitions: 2, count: 10, client)
      var configuration = ConsumerConfiguration(client: client, groupID: "steady")
      configuration.groupInstanceID = "one"
      for _ in 0..<2 {
        let consumer = try Consumer(configuration)
        try consumer.subscribe(["work"])
        #expect(try consumer.collect(20).count == 20)
        #expect(try consumer.close())
      }
    }
  }

  @Test func aListenerThatFailsIsHeardAndTheGroupGoesOn() async throws {
    try await onThread {
      let cluster = try MockCluster()
      try cluster.createTopic("work", partitionCount: 1)
      let client = ClientConfiguration(bootstrapServers: cluster.bootstrapServers)
      let listener = Recorder()
      listener.failure = HeadraceError(.internal, "LISTENER", "the state is not there")
      let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: "readers"), listener: listener)
      try consumer.subscribe(["work"])
      let error = #expect(throws: HeadraceError.self) { _ = try consumer.collect(1) }
      #expect(error?.code == "LISTENER")
      listener.failure = nil
      try fill("work", partitions: 1, count: 3, client)
      #expect(try consumer.collect(3).count == 3)
      try consumer.close()
    }
  }
}

/// Notes what it hears.
final class Recorder: RebalanceListener {
  var assigned: [[AssignedPartition]] = []
  var revoked: [[TopicPartition]] = []
  var lost: [[TopicPartition]] = []
  var starts: [TopicPartition: Int64] = [:]
  var failure: HeadraceError?
  var commitsOnRevoke = false

  func assigned(_ partitions: [AssignedPartition], to consumer: Consumer) throws -> [TopicPartition: Int64] {
    if let failure { throw failure }
    assigned.append(partitions)
    return starts
  }

  func revoked(_ partitions: [TopicPartition], from consumer: Consumer) throws {
    revoked.append(partitions)
    guard commitsOnRevoke else { return }
    var offsets: [TopicPartition: CommittedOffset] = [:]
    for partition in partitions { offsets[partition] = CommittedOffset(offset: try consumer.position(of: partition)) }
    try consumer.commit(offsets)
  }

  func lost(_ partitions: [TopicPartition], from consumer: Consumer) throws { lost.append(partitions) }
}
