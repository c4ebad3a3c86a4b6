import Broker
import Core
import Kafka
import Testing

@testable import Runtime

/// Some hundred kilobytes that become a hundred and fifty megabytes, on a broker that takes them: the client refuses to
/// expand them, and nothing but these records is lost.
@Suite(.serialized) struct UnreadableTests {
  private static let partitions: Int32 = 3
  /// Above what a client expands: `receive.message.max.bytes`.
  private static let bombBytes = 150_000_000

  @Test func `a batch that nobody expands is passed over, and named in the dead letters`() async throws {
    try await Node.run({ configuration in
      configuration.limits.decompressedBatchBytes = 512 << 20
    }) { node in
      try await node.createTopic(partitions: Self.partitions)
      let events = Payments.events(1_200, seed: 91)
      let plan = try Payments.plan(Payments.views)
      let engine = try await node.engine(plan)
      try await node.publish(Array(events[..<600]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      let client = node.client
      try await onThread {
        var producing = ProducerConfiguration(client: client)
        producing.recordBytesMaximum = 200_000_000
        // The one codec of which the client bounds what a batch becomes.
        producing.compression = .zstd
        let producer = try Producer(producing)
        defer { producer.close() }
        var batch = ProduceBatch(topic: "payments")
        try batch.append(key: "bomb", value: Self.bomb, partition: 1)
        let report = try producer.sendAndWait(batch, timeoutMilliseconds: 60_000)
        if let error = report.error { throw error }
      }
      try await node.publish(Array(events[600...]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try EngineTests.expectNaive([engine], events, hasShops: false)
      await engine.drain()
      // A view that is new is built from the log, and meets it again.
      let naive = NaivePayments(EngineTests.log(events), plan: plan)
      let again = try await node.engine(try Payments.plan(Payments.views, Self.second)) { $0.appliesPlan = true }
      try await eventually("the view is built") {
        again.status().tasks.count == Int(Self.partitions) && again.status().tasks.allSatisfy(\.bootstraps.isEmpty)
      }
      try await EngineTests.waitUntilApplied(node, [again], hasShops: false)
      try EngineTests.expectNaive([again], events, hasShops: false)
      #expect(EngineTests.counts([again]).deadLettered == naive.counts.deadLettered + 1)
      await again.drain()
      let letters = try await node.records("pay.dlq", partitions: Self.partitions)
        .filter { $0.headers["x-headrace-code"] == "UNREADABLE" }
      #expect(letters.count == 1)
      #expect(letters.first?.headers["headrace-src"]?.hasPrefix("payments/1@") == true)
      #expect(letters.first?.value == nil && letters.first?.headers["headrace-omitted"] == "headers,key,value")
    }
  }

  /// Not all the same, or the broker would refuse it for its ratio.
  private static var bomb: String {
    var random = SplitMix64(seed: 92)
    var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: bombBytes)
    for position in stride(from: 0, to: bombBytes, by: 1_000) {
      bytes[position] = UInt8(ascii: "a") + UInt8(random.next() % 26)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let second = """
      second_by_user:
        source: payments
        entity: user
        features:
          n: count over 1h
    """
}
