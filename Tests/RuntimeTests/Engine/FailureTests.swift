import Broker
import Columns
import Core
import Features
import Kafka
import OnlineStore
import Testing
import Topology

@testable import Runtime

/// The same equality when processes die, move and do not hear of their commits.
@Suite(.serialized) struct FailureTests {
  private static let partitions: Int32 = 3
  private static let views = [Payments.views, Payments.byShop]

  private static func plan() throws -> Plan { try Payments.plan(Payments.views, Payments.byShop) }

  /// Everything that must hold at the end, whatever happened.
  static func expectAll(_ node: Node, _ engines: [Engine], _ events: [Payments.Event]) async throws {
    try await EngineTests.waitUntilApplied(node, engines, hasShops: true)
    try EngineTests.expectNaive(engines, events, hasShops: true)
    let naive = try NaivePayments(EngineTests.log(events), plan: plan())
    #expect(EngineTests.counts(engines) == naive.counts)
    for engine in engines { await engine.drain() }
    let letters = try await node.records("pay.dlq", partitions: partitions)
    #expect(Int64(letters.count) == naive.counts.deadLettered)
    #expect(Set(letters.compactMap { $0.headers["headrace-src"] }).count == letters.count, "a dead letter came twice")
    #expect(try await Int64(node.records("pay.late", partitions: partitions).count) == naive.counts.late)
  }

  @Test func `engines that die again and again lose nothing and repeat nothing`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(2_400, seed: 3)
      for round in 0..<6 {
        let engine = try await node.engine(Self.plan()) {
          $0.checkpointIntervalMilliseconds = [40, 150, 10_000][round % 3]
        }
        try await node.publish(Array(events[round * 400..<(round + 1) * 400]), partitions: Self.partitions)
        let target = Int64((round + 1) * 400) * Int64(round % 2 + 1) / 2
        try await eventually("some of it is applied") { EngineTests.counts([engine]).read >= target }
        await engine.abandon()
      }
      try await Self.expectAll(node, [try await node.engine(Self.plan())], events)
    }
  }

  @Test(arguments: [
    "EndTxn:drop-response:first=9", "EndTxn:drop-request:first=9", "TxnOffsetCommit:drop-response:every=5",
    "AddOffsetsToTxn:error=51:every=3",
  ])
  func `what became of a commit is read back when nobody said`(fault: String) async throws {
    try await Node.run({ $0.faults = [try FaultRule(parsing: fault)] }) { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(900, seed: 4)
      let engine = try await node.engine(Self.plan()) { $0.transactionTimeoutMilliseconds = 1_500 }
      for start in stride(from: 0, to: 900, by: 300) {
        try await node.publish(Array(events[start..<start + 300]), partitions: Self.partitions)
        try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      }
      try await Self.expectAll(node, [engine], events)
    }
  }

  @Test func `tasks move between engines that come and go`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(2_000, seed: 5)
      let first = try await node.engine(Self.plan(), directory: "a")
      try await node.publish(Array(events[..<500]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: false)
      let second = try await node.engine(Self.plan(), directory: "b")
      try await eventually("both have tasks") { !first.status().tasks.isEmpty && !second.status().tasks.isEmpty }
      try await node.publish(Array(events[500..<1_000]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first, second], hasShops: true)
      try EngineTests.expectNaive([first, second], Array(events[..<1_000]), hasShops: true)
      // One dies, and its member lives on in the group until its session ends; the other one takes over.
      await first.abandon()
      try await node.publish(Array(events[1_000..<1_500]), partitions: Self.partitions)
      let third = try await node.engine(Self.plan(), directory: "a")
      try await EngineTests.waitUntilApplied(node, [second, third], hasShops: true)
      await second.drain()
      try await node.publish(Array(events[1_500...]), partitions: Self.partitions)
      try await Self.expectAll(node, [third], events)
    }
  }

  @Test func `state that is lost is read again from the log, and nothing is written twice`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(1_000, seed: 6)
      let first = try await node.engine(Self.plan())
      try await node.publish(Array(events[..<600]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: true)
      await first.drain()
      removeFolder("\(node.folder)/a/state")
      try await node.publish(Array(events[600...]), partitions: Self.partitions)
      try await Self.expectAll(node, [try await node.engine(Self.plan())], events)
    }
  }

  @Test func `a task that was fenced asks the group whose it is`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(900, seed: 9)
      let engine = try await node.engine(Self.plan())
      try await node.publish(Array(events[..<450]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: true)
      let client = node.client
      try await onThread {
        let rival = try TransactionalProducer(
          ProducerConfiguration(client: client), TransactionConfiguration(transactionalID: "pay-0"))
        try rival.initialize(timeoutMilliseconds: 10_000)
        rival.close()
      }
      try await node.publish(Array(events[450...]), partitions: Self.partitions)
      try await Self.expectAll(node, [engine], events)
    }
  }

  @Test func `a topic that was made again is noticed`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: 1)
      let plan = try Payments.plan(Payments.views)
      let first = try await node.engine(plan)
      try await node.publish(Payments.events(300, seed: 7), partitions: 1)
      let ends = try await node.ends("payments", partitions: 1)
      try await eventually("all is applied") { Engine.hasApplied([first], "payments", ends) }
      await first.drain()
      let client = node.client
      try await onThread {
        let failures = try Admin(client).deleteTopics(["payments"])
        #expect(failures.isEmpty)
      }
      try await node.createTopic(partitions: 1)
      try await node.publish(Payments.events(400, seed: 8), partitions: 1)
      // The broker forgot the offsets with the topic; a broker that does not is the harder case.
      try await eventually("the group is empty") {
        try await onThread {
          let offset = [TopicPartition(topic: "payments", partition: 0): CommittedOffset(offset: 300)]
          do throws(HeadraceError) { try Admin(client).setOffsets(offset, group: "pay") } catch { return false }
          return true
        }
      }
      let second = try await node.engine(plan)
      try await eventually("the task stops") { second.status().tasks.contains { $0.phase == .stopped } }
      let why = second.status().tasks.compactMap(\.whyNotMoving)
      #expect(why.contains { $0.contains("TOPIC_RECREATED") }, "\(why)")
      await second.drain()
    }
  }
}
