import Broker
import Core
import Inference
import Kafka
import Testing
import Topology

@testable import Runtime

/// Models in the stream: one prediction for each event, over the features that the event itself sees.
@Suite(.serialized) struct ModelTests {
  private static let partitions: Int32 = 3

  /// Holds every committed prediction against the naive ones.
  private static func expectAll(_ node: Node, _ engines: [Engine], _ events: [Payments.Event]) async throws {
    try await EngineTests.waitUntilApplied(node, engines, hasShops: false)
    for engine in engines { await engine.drain() }
    let expected = try ScoredPayments.expected(EngineTests.log(events), engines[0].plan)
    let records = try await node.records("pay.predictions", partitions: partitions)
    var ids: Set<String> = []
    var places: Set<String> = []
    for record in records {
      let json = try JSONDocument(Array((record.value ?? "").utf8), depthMax: 4)
      let place = try #require(record.headers["headrace-src"])
      let prediction = try #require(expected[place], "nothing to predict for \(place)")
      #expect(json["score"].double == prediction.score, "\(place)")
      #expect(json["features"].floats == prediction.vector.map { $0.isNaN ? nil : $0 }, "\(place)")
      #expect(json["label"]?.boolean == (prediction.score >= 0.5))
      #expect(json["missing_views"] == nil && json["model"]?.string == "fraud")
      #expect(json["partition"]?.integer.map { "payments/\($0)@\(json["offset"]?.integer ?? -1)" } == place)
      ids.insert(json["id"]?.string ?? "")
      places.insert(place)
    }
    #expect(places == Set(expected.keys), "events without a prediction")
    #expect(records.count == expected.count && ids.count == records.count, "a prediction came twice")
  }

  @Test(arguments: [UInt64(11), 12], [UInt64(2), 37])
  func `a prediction is over the events up to its own, however batches are cut`(seed: UInt64, users: UInt64)
    async throws
  {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try ScoredPayments.plan(node.folder)
      let events = Payments.events(1_500, seed: seed, users: users)
      var random = SplitMix64(seed: seed)
      let batch = Int(1 + random.next() % 700)
      let engine = try await node.engine(plan) { $0.batchRecordsMaximum = batch }
      var start = 0
      while start < events.count {
        let end = min(events.count, start + Int(1 + random.next() % 500))
        try await node.publish(Array(events[start..<end]), partitions: Self.partitions)
        start = end
      }
      try await Self.expectAll(node, [engine], events)
    }
  }

  @Test func `engines that die leave no event without a prediction and none with two`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try ScoredPayments.plan(node.folder)
      let events = Payments.events(1_800, seed: 13)
      for round in 0..<6 {
        let engine = try await node.engine(plan) {
          $0.checkpointIntervalMilliseconds = [40, 150, 10_000][round % 3]
        }
        try await node.publish(Array(events[round * 300..<(round + 1) * 300]), partitions: Self.partitions)
        let target = Int64((round + 1) * 300) * Int64(round % 2 + 1) / 2
        try await eventually("some of it is applied") { EngineTests.counts([engine]).read >= target }
        await engine.abandon()
      }
      try await Self.expectAll(node, [try await node.engine(plan)], events)
    }
  }

  @Test(arguments: [
    "EndTxn:drop-response:first=9", "EndTxn:drop-request:first=9", "TxnOffsetCommit:drop-response:every=5",
  ])
  func `a commit of unknown outcome doubles no prediction`(fault: String) async throws {
    try await Node.run({ $0.faults = [try FaultRule(parsing: fault)] }) { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try ScoredPayments.plan(node.folder)
      let events = Payments.events(900, seed: 14)
      let engine = try await node.engine(plan) { $0.transactionTimeoutMilliseconds = 1_500 }
      for start in stride(from: 0, to: 900, by: 300) {
        try await node.publish(Array(events[start..<start + 300]), partitions: Self.partitions)
        try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      }
      try await Self.expectAll(node, [engine], events)
    }
  }

  @Test func `the weights of the plan score, in batches of any size, and answer requests`() async throws {
    let names = #""n_1h", "total_1h", "largest_6h", "newest_6h", "large_6h", "amount", "share""#
    let file = Array(
      (#"{"model": "linear", "features": [\#(names)], "weights": [0.3, -0.013, 0.7, 0.11, 1.9, -0.02, 0.5], "#
        + #""intercept": -1, "missing": [0, 0, 0, 0, 0, 0, 0]}"#).utf8)
    let model = try Model(file, place: "linear")
    let small = try CompiledModel(model, options: CompileOptions(weights: .int8))
    let exact = try CompiledModel(model)
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try ScoredPayments.plan(
        node.folder, model: file, use: "file: model.txt, weights: int8, max_batch: 7")
      let engine = try await node.engine(plan)
      try await node.publish(Payments.events(600, seed: 21), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      #expect(engine.models[0]?.compiled.options.weights == .int8)
      await engine.drain()
      let records = try await node.records("pay.predictions", partitions: Self.partitions)
      #expect(records.count > 100)
      var differing = 0
      for record in records {
        let json = try JSONDocument(Array((record.value ?? "").utf8), depthMax: 4)
        let vector = try #require(json["features"].floats).map { $0 ?? .nan }
        let (score, expected) = (try #require(json["score"].double), Self.score(small, vector))
        let tolerance = 1e-5 * max(1, abs(expected))
        #expect(abs(score - expected) <= tolerance, "\(vector)")
        if abs(score - Self.score(exact, vector)) > tolerance { differing += 1 }
      }
      #expect(differing > records.count / 2)
    }
  }

  private static func score(_ compiled: CompiledModel, _ vector: [Float]) -> Double {
    var scorer = compiled.makeScorer()
    var scores = [0.0]
    scorer.score(vector, rowCount: 1, into: &scores)
    return scores[0]
  }

  @Test func `a file that changed under the plan is found by its content`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try ScoredPayments.plan(node.folder)
      let first = try await node.engine(plan)
      await first.drain()
      // Another model under the same name: the plan in force goes on with what it has.
      let changed = String(decoding: ScoredPayments.modelText, as: UTF8.self).replacing("0.243885", with: "0.943885")
      let next = try ScoredPayments.plan(node.folder, model: Array(changed.utf8))
      #expect(next.fingerprint != plan.fingerprint)
      #expect(next.views.map(\.fingerprint) == plan.views.map(\.fingerprint))
      let second = try await node.engine(plan)
      await second.drain()
      await #expect(throws: HeadraceError.self) { _ = try await node.engine(plan, directory: "b") }
    }
  }
}

extension JSONDocument? {
  fileprivate var double: Double? {
    if case .number(let text)? = self?.content { Double(text) } else { nil }
  }

  fileprivate var floats: [Float?]? {
    guard case .array(let items)? = self?.content else { return nil }
    return items.map { item in
      if case .number(let text) = item.content { Float(text) } else { nil }
    }
  }
}
