import Broker
import Columns
import Core
import Features
import Kafka
import OnlineStore
import Testing
import Topology

@testable import Runtime

/// Engines against the embedded broker: whatever happens on the way, the features are those of a naive recomputation.
@Suite(.serialized) struct EngineTests {
  private static let partitions: Int32 = 3

  /// The log of the source, as a partitioner of our own would have it.
  static func log(_ events: [Payments.Event]) -> [Int32: [Payments.Event]] {
    Dictionary(grouping: events) { event in
      unsafe Array(event.user.utf8).withUnsafeBytes {
        unsafe Partitioner.murmur2.partition(key: $0, partitionCount: partitions)
      }
    }
  }

  /// Compares every feature of every user and shop at several times.
  static func expectNaive(_ engines: [Engine], _ events: [Payments.Event], hasShops: Bool) throws {
    let naive = NaivePayments(log(events), plan: engines[0].plan)
    let end = Payments.start + 8 * 3_600_000
    // Not earlier: the tile that such a time lies in holds newer events, and the answer says so.
    for time in [end, end + 299_999, end + 3_600_000] {
      for user in Set(events.map(\.user)).sorted() {
        let values = try Engine.read(
          engines, "by_user", key: user, ["n_1h", "n_6h", "total_1h", "total_6h", "largest_6h", "newest_6h"], at: time)
        let hour = naive.read(hours: 1, at: time) { $0.user == user }
        let six = naive.read(hours: 6, at: time) { $0.user == user }
        let expected: [Value] = [
          .integer(hour.0), .integer(six.0), .init(hour.1), .init(six.1), .init(six.2), .init(six.3),
        ]
        #expect(values == expected, "user \(user) at \(time)")
      }
      guard hasShops else { continue }
      for shop in Set(events.map(\.shop)).sorted() {
        let values = try Engine.read(engines, "by_shop", key: shop, ["n_1h", "total_6h", "newest_6h"], at: time)
        let hour = naive.read(hours: 1, at: time) { $0.shop == shop }
        let six = naive.read(hours: 6, at: time) { $0.shop == shop }
        #expect(values == [.integer(hour.0), .init(six.1), .init(six.3)], "shop \(shop) at \(time)")
      }
    }
  }

  static func counts(_ engines: [Engine]) -> OutcomeCounts {
    engines.flatMap { $0.status().sources }.map(\.counts).reduce(OutcomeCounts(), +)
  }

  static func waitUntilApplied(_ node: Node, _ engines: [Engine], hasShops: Bool) async throws {
    let ends = try await node.ends("payments", partitions: partitions)
    try await eventually("everything is applied") { Engine.hasApplied(engines, "payments", ends) }
    guard hasShops else { return }
    // Deltas follow with the next commit.
    // Both at once: a task whose commit fails goes back behind what it had applied.
    try await eventually("every commit is through") {
      Engine.hasApplied(engines, "payments", ends)
        && engines.allSatisfy {
          $0.status().tasks.allSatisfy { $0.inputs.allSatisfy { $0.committedOffset == $0.appliedOffset } }
        }
    }
    let deltas = try await node.ends("pay.by_shop.repartition", partitions: partitions)
    try await eventually("every delta is merged") { Engine.hasApplied(engines, "pay.by_shop.repartition", deltas) }
  }

  @Test func `features equal a naive recomputation, and every record is accounted for`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try Payments.plan(Payments.views, Payments.byShop)
      let events = Payments.events(3_000, seed: 1)
      let engine = try await node.engine(plan)
      try await node.publish(events, partitions: Self.partitions)
      try await Self.waitUntilApplied(node, [engine], hasShops: true)
      try Self.expectNaive([engine], events, hasShops: true)
      let counts = Self.counts([engine])
      #expect(counts == NaivePayments(Self.log(events), plan: plan).counts)
      #expect(counts.isConserved && counts.late > 0 && counts.repaired > 0 && counts.deduplicated > 0)
      try await eventually("rejected records are committed") {
        try await node.ends("pay.late", partitions: Self.partitions).values.reduce(0, +) >= counts.late
      }
      await engine.drain()
      #expect(engine.failure == nil)
      let letters = try await node.records("pay.dlq", partitions: Self.partitions)
      #expect(Int64(letters.count) == counts.deadLettered)
      #expect(letters.allSatisfy { $0.headers["x-headrace-code"] != nil && $0.headers["headrace-src"] != nil })
      #expect(letters.contains { $0.value == "{\"event_id\": \"x" })
      #expect(try await Int64(node.records("pay.late", partitions: Self.partitions).count) == counts.late)
    }
  }

  @Test func `a drained engine goes on where it was`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try Payments.plan(Payments.views, Payments.byShop)
      let events = Payments.events(2_000, seed: 2)
      let first = try await node.engine(plan)
      try await node.publish(Array(events[..<900]), partitions: Self.partitions)
      try await Self.waitUntilApplied(node, [first], hasShops: true)
      await first.drain()
      try await node.publish(Array(events[900...]), partitions: Self.partitions)
      let second = try await node.engine(plan)
      try await Self.waitUntilApplied(node, [second], hasShops: true)
      try Self.expectNaive([second], events, hasShops: true)
      #expect(Self.counts([second]) == NaivePayments(Self.log(events), plan: plan).counts)
      await second.drain()
    }
  }
}

extension Value {
  init(_ number: Double?) { self = number.map { .double($0) } ?? .null }
}
