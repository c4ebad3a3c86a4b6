import Broker
import Columns
import Core
import Features
import Kafka
import OnlineStore
import Testing
import Topology

@testable import Runtime

/// The group forgets its offsets, and the log forgets its records.
@Suite(.serialized) struct LostOffsetsTests {
  private static let partitions: Int32 = 3

  private static func plan() throws -> Plan { try Payments.plan(Payments.views, Payments.byShop) }

  /// Applies the first events and saves; then the next ones without saving, and dies: S < C.
  private static func leaveStateBehind(_ node: Node, _ events: [Payments.Event], saved: Int) async throws {
    let first = try await node.engine(plan())
    try await node.publish(Array(events[..<saved]), partitions: partitions)
    try await EngineTests.waitUntilApplied(node, [first], hasShops: true)
    await first.drain()
    let second = try await node.engine(plan()) { $0.checkpointIntervalMilliseconds = 3_600_000 }
    try await node.publish(Array(events[saved...]), partitions: partitions)
    try await EngineTests.waitUntilApplied(node, [second], hasShops: true)
    await second.abandon()
  }

  private static func deleteGroup(_ node: Node) async throws {
    let client = node.client
    try await eventually("the group is empty, and gone") {
      try await onThread { try Admin(client).deleteGroups(["pay"]).isEmpty }
    }
  }

  @Test func `an offset that the group has lost is taken from the outputs`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(1_500, seed: 21)
      try await Self.leaveStateBehind(node, Array(events[..<1_000]), saved: 500)
      try await Self.deleteGroup(node)
      let third = try await node.engine(Self.plan())
      let client = node.client
      try await eventually("the group knows its offsets again, without another record") {
        let committed = try? await onThread {
          try Admin(client).committed(
            group: "pay", partitions: (0..<Self.partitions).map { TopicPartition(topic: "payments", partition: $0) })
        }
        return committed?.count == Int(Self.partitions)
      }
      try await node.publish(Array(events[1_000...]), partitions: Self.partitions)
      try await FailureTests.expectAll(node, [third], events)
    }
  }

  @Test func `also without a state nothing is emitted twice`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(1_200, seed: 27)
      try await Self.leaveStateBehind(node, Array(events[..<800]), saved: 400)
      try await Self.deleteGroup(node)
      removeFolder("\(node.folder)/a/state")
      try await node.publish(Array(events[800...]), partitions: Self.partitions)
      try await FailureTests.expectAll(node, [try await node.engine(Self.plan())], events)
    }
  }

  @Test func `without outputs that could tell, a person decides`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(600, seed: 22)
      try await Self.leaveStateBehind(node, events, saved: 300)
      try await Self.deleteGroup(node)
      let client = node.client
      // Everything that was emitted is gone, and with it what it said.
      let letters = (0..<Self.partitions).map { TopicPartition(topic: "pay.dlq", partition: $0) }
      try await onThread {
        let admin = try Admin(client)
        _ = try admin.deleteRecords(before: try admin.watermarks(letters).mapValues(\.end))
      }
      let stopped = try await node.engine(Self.plan())
      try await eventually("the tasks stop") {
        let tasks = stopped.status().tasks
        return tasks.count == Int(Self.partitions) && tasks.allSatisfy { $0.phase == .stopped }
      }
      for task in stopped.status().tasks {
        let why = task.whyNotMoving ?? ""
        #expect(why.contains("COMMIT_MISSING") && why.contains("--accept-state-offset"), "\(why)")
      }
      await stopped.drain()
      let accepted = try await node.engine(Self.plan()) { $0.acceptances.stateOffset = true }
      try await EngineTests.waitUntilApplied(node, [accepted], hasShops: false)
      // Views of the source's own key do not depend on what was emitted.
      try EngineTests.expectNaive([accepted], events, hasShops: false)
      await accepted.drain()
    }
  }

  @Test func `records that are deleted before they were read stop their task, with their offsets`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: 1)
      let plan = try Payments.plan(Payments.views)
      let first = try await node.engine(plan)
      try await node.publish(Payments.events(300, seed: 23), partitions: 1)
      try await eventually("all is applied") { Engine.hasApplied([first], "payments", [0: 300]) }
      await first.drain()
      try await node.publish(Payments.events(300, seed: 24), partitions: 1)
      let client = node.client
      try await onThread {
        _ = try Admin(client).deleteRecords(before: [TopicPartition(topic: "payments", partition: 0): 450])
      }
      let second = try await node.engine(plan)
      try await eventually("the task stops") { second.status().tasks.contains { $0.phase == .stopped } }
      let why = second.status().tasks[0].whyNotMoving ?? ""
      #expect(why.contains("RECORDS_GONE") && why.contains("300 ..< 450"), "\(why)")
      #expect(why.contains("--accept-lost-records") && why.contains("payments/0"), "\(why)")
      // What is stopped is not served, and not committed.
      #expect(throws: ReadError.self) {
        try Engine.read([second], "by_user", key: "u1", ["n_1h"], at: Payments.start)
      }
      await second.drain()
      let third = try await node.engine(plan) { $0.acceptances.lostRecords = true }
      try await eventually("the rest is applied") { Engine.hasApplied([third], "payments", [0: 600]) }
      // Pictures of the status are taken a few times a second.
      try await eventually("the counts are all there") { EngineTests.counts([third]).read == 450 }
      await third.drain()
    }
  }

  @Test func `a topic that keeps its records for too short a time is refused at the start`() async throws {
    try await Node.run { node in
      let client = node.client
      try await onThread {
        try Admin(client).createTopic(
          NewTopic(
            name: "payments", partitionCount: 1, replicationFactor: 1, configuration: ["retention.ms": "900000"]))
      }
      let error = await #expect(throws: HeadraceError.self) {
        _ = try await node.engine(try Payments.plan(Payments.views))
      }
      #expect(error?.code == "RETENTION_TOO_SHORT" && error?.place == "payments")
      #expect(
        error?.message.contains("900000") == true && error?.remedy?.contains("1800900") == true, "\(error as Any)")
      try await onThread {
        try Admin(client).setConfiguration(["retention.ms": "1800900"], of: .topic("payments"))
      }
      await (try await node.engine(try Payments.plan(Payments.views))).drain()
    }
  }
}
