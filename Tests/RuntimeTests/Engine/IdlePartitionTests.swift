import Broker
import Columns
import Core
import Features
import Kafka
import OnlineStore
import Testing
import Topology

@testable import Runtime

/// A partition that has nothing to say holds the watermark of repartitioned rows, and not for ever.
@Suite(.serialized) struct IdlePartitionTests {
  private static let hour: Int64 = 3_600_000

  /// Events of one user, one each minute.
  private static func events(_ user: String, from minutes: Range<Int64>) -> [Payments.Event] {
    minutes.map { minute in
      let time = Payments.start + minute * 60_000
      return Payments.Event(
        id: "\(user)-\(minute)", user: user, shop: "shop", amount: 1, time: time, known: time)
    }
  }

  private static func partition(of user: String) -> Int32 {
    unsafe Array(user.utf8).withUnsafeBytes { unsafe Partitioner.murmur2.partition(key: $0, partitionCount: 2) }
  }

  /// How many of the events a window of an hour has at `time`.
  private static func count(_ events: [Payments.Event], at time: Int64) -> [Value] {
    let start = time - time % 300_000 - hour
    return [.integer(Int64(events.count { $0.time >= start && $0.time <= time }))]
  }

  private static func watermark(_ engine: Engine) throws -> Int64? {
    let view = try #require(engine.plan.view(named: "by_shop"))
    var values: [FeatureValue] = []
    return try engine.reader.read(
      view: view, key: EntityKey(bytes: Array("shop".utf8)), at: .latest, features: [0], into: &values
    ).watermarkMilliseconds
  }

  @Test(arguments: [true, false])
  func `an idle partition is not waited for any more`(isPatient: Bool) async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: 2)
      let users = ["a", "b", "c", "d", "e", "f"]
      let quiet = try #require(users.first { Self.partition(of: $0) == 0 })
      let busy = try #require(users.first { Self.partition(of: $0) == 1 })
      let plan = try Payments.plan(Payments.views, Payments.byShop, options: "")
      let engine = try await node.engine(plan) { $0.idleAfterMilliseconds = isPatient ? 3_600_000 : 1_500 }
      // Both partitions stand at the first hour; then one of them goes on alone.
      try await node.publish(Self.events(quiet, from: 0..<60) + Self.events(busy, from: 0..<60), partitions: 2)
      try await eventually("both are heard") { (try? Self.watermark(engine)) == Payments.start + 59 * 60_000 }
      let later = Self.events(busy, from: 60..<300)
      let newest = Payments.start + 299 * 60_000
      try await node.publish(later, partitions: 2)
      try await eventually("all is merged") {
        try Engine.read([engine], "by_shop", key: "shop", ["n_1h"], at: newest) == Self.count(later, at: newest)
      }
      if isPatient {
        // More than a second, after which each upstream partition has said where it is.
        try await Task.sleep(for: .milliseconds(1_500))
        #expect(try Self.watermark(engine) == Payments.start + 59 * 60_000)
      } else {
        try await eventually("nobody waits for the idle one") { try Self.watermark(engine) == newest }
        // It comes back, late, and its events count where a window still has them.
        let again = Self.events(quiet, from: 290..<300)
        try await node.publish(again, partitions: 2)
        try await eventually("it is heard again") {
          try Engine.read([engine], "by_shop", key: "shop", ["n_1h"], at: newest)
            == Self.count(later + again, at: newest)
        }
        #expect(try Self.watermark(engine) == newest)
      }
      await engine.drain()
      #expect(engine.failure == nil)
    }
  }
}
