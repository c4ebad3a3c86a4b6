import Broker
import Columns
import Core
import Features
import Kafka
import OfflineStore
import OnlineStore
import Storage
import Testing
import Topology

@testable import Runtime

/// The log has forgotten what the archive remembers: whatever is built from both is what the whole log would have
/// given, to the bit.
@Suite(.serialized) struct ArchiveTests {
  private static let partitions: Int32 = 3

  private static let largest = """
      largest_by_user:
        source: payments
        entity: user
        features:
          n: count over 1h
          largest: max(amount) over 6h
    """

  private static func engine(
    _ node: Node, _ plan: Plan, _ tables: any BlobStore, freshnessMilliseconds: Int64 = 50
  ) async throws -> Engine {
    try await node.engine(plan) { configuration in
      configuration.tableStore = tables
      configuration.tableFreshnessMilliseconds = freshnessMilliseconds
    }
  }

  private static func waitUntilArchived(_ engine: Engine) async throws {
    try await eventually("everything is saved and published") {
      engine.status().tasks.allSatisfy { $0.inputs.allSatisfy { $0.savedOffset == $0.appliedOffset } }
        && engine.status().tables.allSatisfy { $0.waitingRows == 0 }
    }
  }

  /// Takes a share of each partition's records away, the oldest first.
  private static func forget(_ node: Node, share: Double) async throws {
    let ends = try await node.ends("payments", partitions: partitions)
    let client = node.client
    try await onThread {
      var offsets: [TopicPartition: Int64] = [:]
      for (partition, end) in ends {
        offsets[TopicPartition(topic: "payments", partition: partition)] = Int64(Double(end) * share)
      }
      _ = try Admin(client).deleteRecords(before: offsets)
    }
  }

  private static func apply(_ node: Node, _ plan: Plan) async throws {
    let client = node.client
    try await onThread {
      let control = try ControlLog(client)
      let current = try #require(try control.current(topology: "pay"))
      _ = try control.apply(plan, expectedVersion: current.version)
    }
  }

  private static func expectBuilt(_ node: Node, _ engine: Engine, _ plan: Plan, _ events: [Payments.Event]) async throws
  {
    try await eventually("the new plan runs") { engine.plan.fingerprint == plan.fingerprint }
    try await eventually("the view is built") {
      let tasks = engine.status().tasks
      let isRead = try? events.prefix(100).allSatisfy { event in
        try Engine.read([engine], "largest_by_user", key: event.user, ["n_1h"], at: Payments.start + 8 * 3_600_000)
          .count == 1
      }
      return tasks.count == Int(partitions) && tasks.allSatisfy { $0.phase == .running && $0.bootstraps.isEmpty }
        && isRead ?? false
    }
    try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
    try EngineTests.expectNaive([engine], events, hasShops: false)
    let naive = NaivePayments(EngineTests.log(events), plan: plan)
    let end = Payments.start + 8 * 3_600_000
    for user in Set(events.map(\.user)).sorted() {
      let values = try Engine.read([engine], "largest_by_user", key: user, ["n_1h", "largest_6h"], at: end)
      let hour = naive.read(hours: 1, at: end) { $0.user == user }
      let six = naive.read(hours: 6, at: end) { $0.user == user }
      #expect(values == [.integer(hour.0), .init(six.2)], "user \(user)")
    }
  }

  @Test(arguments: [0.3, 0.8, 1.0]) func `a new view begins in the archive and goes on in the log`(
    share: Double
  ) async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(2_000, seed: 71)
      let tables = MemoryBlobStore()
      let engine = try await Self.engine(node, try Payments.plan(Payments.views), tables)
      try await node.publish(Array(events[..<1_200]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try await Self.waitUntilArchived(engine)
      try await Self.forget(node, share: share)
      let plan = try Payments.plan(Payments.views, Self.largest)
      try await Self.apply(node, plan)
      try await node.publish(Array(events[1_200...]), partitions: Self.partitions)
      try await Self.expectBuilt(node, engine, plan, events)
      await engine.drain()
    }
  }

  @Test func `what waits in the spool is waited for`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(1_000, seed: 72)
      let tables = MemoryBlobStore()
      let engine = try await Self.engine(node, try Payments.plan(Payments.views), tables, freshnessMilliseconds: 3_000)
      try await node.publish(events, partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try await Self.forget(node, share: 1)
      let plan = try Payments.plan(Payments.views, Self.largest)
      try await Self.apply(node, plan)
      try await Self.expectBuilt(node, engine, plan, events)
      await engine.drain()
    }
  }

  @Test func `a build goes on where its last checkpoint was`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(6_000, seed: 73)
      let tables = MemoryBlobStore()
      let first = try await Self.engine(node, try Payments.plan(Payments.views), tables)
      try await node.publish(Array(events[..<4_000]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: false)
      try await Self.waitUntilArchived(first)
      try await Self.forget(node, share: 0.9)
      let plan = try Payments.plan(Payments.views, Self.largest)
      try await Self.apply(node, plan)
      try await eventually("the new plan runs") { first.plan.fingerprint == plan.fingerprint }
      await first.abandon()
      // More is forgotten before the build goes on.
      try await Self.forget(node, share: 1)
      let second = try await Self.engine(node, plan, tables)
      try await node.publish(Array(events[4_000...]), partitions: Self.partitions)
      try await Self.expectBuilt(node, second, plan, events)
      await second.drain()
    }
  }

  @Test(arguments: [0.4, 1.0]) func `a lost disk comes back from archive and log, and nothing is emitted twice`(
    share: Double
  ) async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(3_000, seed: 74)
      let tables = MemoryBlobStore()
      let plan = try Payments.plan(Payments.views, Self.largest)
      let first = try await Self.engine(node, plan, tables)
      try await node.publish(Array(events[..<2_000]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: false)
      try await Self.waitUntilArchived(first)
      await first.drain()
      let letters = try await node.ends("pay.dlq", partitions: Self.partitions).values.reduce(0, +)
      try await Self.forget(node, share: share)
      removeFolder("\(node.folder)/a")
      let second = try await Self.engine(node, plan, tables)
      try await EngineTests.waitUntilApplied(node, [second], hasShops: false)
      // Nothing of what was emitted before comes again; markers of commits count as offsets.
      let records = try await node.records("pay.dlq", partitions: Self.partitions).count
      #expect(records > 0 && Int64(records) <= letters)
      try await node.publish(Array(events[2_000...]), partitions: Self.partitions)
      try await Self.expectBuilt(node, second, plan, events)
      await second.drain()
      let counts = NaivePayments(EngineTests.log(events), plan: plan).counts
      #expect(try await Int64(node.records("pay.dlq", partitions: Self.partitions).count) == counts.deadLettered)
      #expect(try await Int64(node.records("pay.late", partitions: Self.partitions).count) == counts.late)
    }
  }

  @Test func `a disk that is lost while the archive is read comes back again`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(6_000, seed: 75)
      let tables = MemoryBlobStore()
      let plan = try Payments.plan(Payments.views, Self.largest)
      let first = try await Self.engine(node, plan, tables)
      try await node.publish(Array(events[..<5_000]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: false)
      try await Self.waitUntilArchived(first)
      await first.drain()
      try await Self.forget(node, share: 0.7)
      removeFolder("\(node.folder)/a")
      for _ in 0..<2 {
        let next = try await Self.engine(node, plan, tables)
        try await eventually("something is restored") { !next.status().tasks.isEmpty }
        await next.abandon()
      }
      let last = try await Self.engine(node, plan, tables)
      try await node.publish(Array(events[5_000...]), partitions: Self.partitions)
      try await Self.expectBuilt(node, last, plan, events)
      await last.drain()
    }
  }

  @Test func `what neither archive nor log has stops the task`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(900, seed: 76)
      let plan = try Payments.plan(Payments.views)
      let first = try await node.engine(plan)
      try await node.publish(events, partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: false)
      await first.drain()
      try await Self.forget(node, share: 0.5)
      removeFolder("\(node.folder)/a")
      let second = try await Self.engine(node, plan, MemoryBlobStore())
      try await eventually("a person has to decide") {
        second.status().tasks.count == Int(Self.partitions)
          && second.status().tasks.allSatisfy { $0.whyNotMoving?.contains("RECORDS_GONE") ?? false }
      }
      await second.drain()
    }
  }
}
