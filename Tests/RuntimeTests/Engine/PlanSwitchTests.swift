import Broker
import Columns
import Core
import Features
import Kafka
import OnlineStore
import Testing
import Topology

@testable import Runtime

/// Plans that replace each other while events arrive.
@Suite(.serialized) struct PlanSwitchTests {
  private static let partitions: Int32 = 3

  private static let largest = """
      largest_by_user:
        source: payments
        entity: user
        features:
          n: count over 1h
          largest: max(amount) over 6h
    """

  @Test func `a view that is added to a running topology is built from the log`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(2_000, seed: 11)
      let engine = try await node.engine(try Payments.plan(Payments.views))
      try await node.publish(Array(events[..<1_000]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      let plan = try Payments.plan(Payments.views, Self.largest)
      let client = node.client
      try await onThread {
        let control = try ControlLog(client)
        let current = try #require(try control.current(topology: "pay"))
        _ = try control.apply(plan, expectedVersion: current.version)
      }
      try await node.publish(Array(events[1_000...]), partitions: Self.partitions)
      try await eventually("the new plan runs") { engine.plan.fingerprint == plan.fingerprint }
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try await eventually("the view is built") {
        let tasks = engine.status().tasks
        return tasks.count == Int(Self.partitions) && tasks.allSatisfy { $0.phase == .running && $0.bootstraps.isEmpty }
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
      // Pictures of the status are taken a few times a second.
      try await eventually("the counts are all there") { EngineTests.counts([engine]) == naive.counts }
      await engine.drain()
    }
  }

  @Test func `another plan is refused beside the one that runs`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: 1)
      let first = try await node.engine(try Payments.plan(Payments.views))
      await first.drain()
      let other = try Payments.plan(Payments.views, Self.largest)
      let error = await #expect(throws: HeadraceError.self) { _ = try await node.engine(other) }
      #expect(error?.code == "PLAN_DIFFERS")
      let second = try await node.engine(other) { $0.appliesPlan = true }
      #expect(second.plan.fingerprint == other.fingerprint)
      await second.drain()
    }
  }

  @Test func `of two plans that expect the same version the first one wins`() throws {
    let first = try Payments.plan(Payments.views)
    let second = try Payments.plan(Payments.views, Self.largest)
    var state = ControlState()
    func record(_ plan: Plan, expects: Int64) -> ControlRecord {
      .plan(
        topology: plan.name, expects: expects, fingerprint: plan.fingerprint, document: plan.document.encoded())
    }
    #expect(state.apply(record(first, expects: 0), offset: 0)?.version == 1)
    #expect(state.apply(record(second, expects: 0), offset: 1) == nil)
    #expect(state.plans["pay"]?.fingerprint == first.fingerprint)
    #expect(state.apply(record(second, expects: 1), offset: 2)?.version == 2)
    #expect(state.plans["pay"]?.fingerprint == second.fingerprint)
  }
}
