import Broker
import Columns
import Core
import Features
import Kafka
import OnlineStore
import Testing
import Topology

@testable import Runtime

/// Batches that are hard in another way.
@Suite(.serialized) struct OneKeyTests {
  @Test func `a batch of one key counts each of its events once`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: 1)
      let plan = try Payments.plan(Payments.views, Payments.byShop, options: "")
      let engine = try await node.engine(plan)
      var events: [Payments.Event] = []
      for index in 0..<2_000 {
        events.append(
          Payments.Event(
            id: "e\(index)", user: "u", shop: "s", amount: Double(index) * 0.1, time: Payments.start + Int64(index),
            known: Payments.start + Int64(index)))
      }
      try await node.publish(events, partitions: 1)
      let visible = await engine.wait(
        for: TopicPartition(topic: "payments", partition: 0), offset: 1_999, timeoutMilliseconds: 20_000)
      #expect(visible)
      let values = try Engine.read(
        [engine], "by_user", key: "u", ["n_1h", "total_6h", "largest_6h", "newest_6h"], at: Payments.start + 10_000)
      let amounts = events.map(\.amount)
      #expect(
        values == [
          .integer(2_000), .double(NaivePayments.exactSum(amounts)), .double(199.9), .double(199.9),
        ])
      #expect(try Engine.read([engine], "by_user", key: "nobody", ["n_1h"], at: Payments.start) == [.null])
      // However hot a key is: one delta for each commit.
      try await eventually("the shop has them all") {
        try Engine.read([engine], "by_shop", key: "s", ["n_1h"], at: Payments.start + 10_000) == [.integer(2_000)]
      }
      let deltas = try await node.ends("pay.by_shop.repartition", partitions: 1)
      #expect(deltas.values.reduce(0, +) < 400)
      await engine.drain()
    }
  }

  @Test func `records without key or in the wrong partition are counted`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: 2)
      let engine = try await node.engine(try Payments.plan(Payments.views, options: ""))
      let client = node.client
      try await onThread {
        let producer = try Producer(ProducerConfiguration(client: client))
        defer { producer.close() }
        var batch = ProduceBatch(topic: "payments")
        for index in 0..<10 {
          let event = Payments.Event(
            id: "e\(index)", user: "u\(index)", shop: "s", amount: 1, time: Payments.start, known: Payments.start)
          // Half of the users belong into the other partition; the last one has no key.
          try batch.append(
            key: index == 9 ? nil : event.user, value: event.value, timestampMilliseconds: Payments.start, partition: 0)
        }
        try batch.append(key: "u0", value: nil, timestampMilliseconds: Payments.start, partition: 0)
        try producer.send(batch)
        try producer.flush(timeoutMilliseconds: 10_000)
      }
      try await eventually("all are read") { EngineTests.counts([engine]).read == 11 }
      let counts = EngineTests.counts([engine])
      #expect(counts.applied == 10 && counts.deadLettered == 1 && counts.isConserved)
      #expect(counts.misplaced > 1 && counts.misplaced < 11)
      await engine.drain()
      let letters = try await node.records("pay.dlq", partitions: 2)
      #expect(letters.map { $0.headers["x-headrace-code"] } == ["TOMBSTONE"] && letters[0].value == nil)
    }
  }

  @Test func `a missing topic and unequal numbers of partitions are refused before anything starts`() async throws {
    try await Node.run { node in
      let plan = try Payments.plan(Payments.views)
      let missing = await #expect(throws: HeadraceError.self) { _ = try await node.engine(plan) }
      #expect(missing?.code == "TOPIC_MISSING")
      try await node.createTopic(partitions: 2)
      try await node.createTopic("pay.dlq", partitions: 3)
      let changed = await #expect(throws: HeadraceError.self) { _ = try await node.engine(plan) }
      #expect(changed?.code == "PARTITION_COUNT_CHANGED")
    }
  }
}
