import Broker
import Core
import Features
import Kafka
import OfflineStore
import Storage
import Testing
import Topology

@testable import Runtime

/// A disk that is lost: what a snapshot brings back is what the disk would have had, to the bit, also where the log no
/// longer reaches back.
@Suite(.serialized) struct SnapshotTests {
  private static let partitions: Int32 = 3

  private static func engine(
    _ node: Node, _ plan: Plan, _ snapshots: any BlobStore, directory: String, tables: (any BlobStore)? = nil
  ) async throws -> Engine {
    try await node.engine(plan, directory: directory) { configuration in
      configuration.snapshotStore = snapshots
      configuration.snapshotIntervalMilliseconds = 200
      configuration.tableStore = tables
      configuration.tableFreshnessMilliseconds = 50
    }
  }

  /// Of every partition, where the newest snapshot stands.
  private static func snapshotOffsets(_ store: any BlobStore) throws -> [Int64] {
    try (0..<partitions).map { task in
      try SnapshotStore(store, topology: "pay").manifests(of: task).first?.nextOffset(of: "payments") ?? -1
    }
  }

  private static func forget(_ node: Node, below offsets: [Int64]) async throws {
    let client = node.client
    try await onThread {
      var ends: [TopicPartition: Int64] = [:]
      for (number, offset) in zip(0..., offsets) {
        ends[TopicPartition(topic: "payments", partition: Int32(number))] = offset
      }
      _ = try Admin(client).deleteRecords(before: ends)
    }
  }

  /// Publishes half, waits for snapshots, dies; the log loses what the snapshots have; another machine goes on.
  private static func run(tables: (any BlobStore)?, dies: Bool) async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: partitions)
      let events = Payments.events(2_000, seed: 81)
      let snapshots = MemoryBlobStore()
      let plan = try Payments.plan(Payments.views)
      let first = try await engine(node, plan, snapshots, directory: "a", tables: tables)
      try await node.publish(Array(events[..<1_200]), partitions: partitions)
      try await EngineTests.waitUntilApplied(node, [first], hasShops: false)
      try await eventually("snapshots are taken") { try snapshotOffsets(snapshots).allSatisfy { $0 > 0 } }
      if dies { await first.abandon() } else { await first.drain() }
      let taken = try snapshotOffsets(snapshots)
      #expect(taken.allSatisfy { $0 > 0 })
      try await forget(node, below: taken)
      let second = try await engine(node, plan, snapshots, directory: "b", tables: tables)
      try await node.publish(Array(events[1_200...]), partitions: partitions)
      try await EngineTests.waitUntilApplied(node, [second], hasShops: false)
      try EngineTests.expectNaive([second], events, hasShops: false)
      await second.drain()
    }
  }

  @Test func `another machine goes on after a death, with a log that has forgotten the rest`() async throws {
    try await Self.run(tables: nil, dies: true)
  }

  @Test func `another machine goes on after an end in good order`() async throws {
    try await Self.run(tables: nil, dies: false)
  }

  @Test func `rows that waited for their tables come back with the state`() async throws {
    let tables = MemoryBlobStore()
    try await Self.run(tables: tables, dies: true)
    let archive = try #require(try ArchiveSnapshot.open(tables, source: "payments"))
    for partition in 0..<Self.partitions {
      let reach = try archive.reach(topology: "pay", topic: "payments", partition: partition)
      #expect(reach?.firstOffset == 0 && reach?.nextOffset ?? 0 > 0)
    }
  }

  @Test func `a state that retention has overtaken gives way to a newer snapshot`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(2_000, seed: 82)
      let snapshots = MemoryBlobStore()
      let plan = try Payments.plan(Payments.views)
      // The first machine stops early, the second one reads on.
      let old = try await Self.engine(node, plan, snapshots, directory: "a")
      try await node.publish(Array(events[..<500]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [old], hasShops: false)
      await old.drain()
      let between = try await Self.engine(node, plan, snapshots, directory: "b")
      try await node.publish(Array(events[500..<1_200]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [between], hasShops: false)
      await between.drain()
      let taken = try Self.snapshotOffsets(snapshots)
      try await Self.forget(node, below: taken)
      let last = try await Self.engine(node, plan, snapshots, directory: "a")
      try await node.publish(Array(events[1_200...]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [last], hasShops: false)
      try EngineTests.expectNaive([last], events, hasShops: false)
      await last.drain()
    }
  }

  @Test func `a snapshot of a topic that was made again is left alone`() async throws {
    try await Node.run { node in
      let snapshots = MemoryBlobStore()
      // Of another life: further than this log.
      let manifest = SnapshotManifest(
        topology: "pay", task: 0, takenAtMilliseconds: 1, inputs: [.init(topic: "payments", nextOffset: 1_000_000)])
      try snapshots.put(
        try BlobName("snapshots/pay/0/manifests/00000000000001000000-0000000000000000.json"), manifest.encoded)
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(2_000, seed: 83)
      let engine = try await Self.engine(node, try Payments.plan(Payments.views), snapshots, directory: "a")
      try await node.publish(events, partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try EngineTests.expectNaive([engine], events, hasShops: false)
      await engine.drain()
    }
  }
}
