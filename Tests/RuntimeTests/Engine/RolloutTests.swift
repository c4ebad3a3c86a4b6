import Core
import Kafka
import Registry
import Testing
import Topology

@testable import Runtime

/// Versions that replace each other while events arrive.
@Suite(.serialized) struct RolloutTests {
  private static let partitions: Int32 = 3

  /// Every event has one prediction, by the version that the control topic says, with that version's score.
  private static func expectAll(
    _ registered: Registered, _ events: [Payments.Event], _ plan: Plan, models: [[UInt8]]
  ) async throws -> [Registered.Prediction] {
    let log = EngineTests.log(events)
    let expected = try models.map { try ScoredPayments.expected(log, plan, model: ScoredPayments.named($0)) }
    let predictions = try await registered.predictions(partitions: partitions)
    #expect(Set(predictions.map(\.id)).count == predictions.count, "a prediction came twice")
    #expect(Set(predictions.map(\.place)) == Set(expected[0].keys), "events without a prediction")
    let client = registered.node.client
    let served = try await onThread { () -> [Int?] in
      let control = try ControlLog(client)
      let registry = try control.currentRegistry()
      return predictions.map { prediction in
        let partition = TopicPartition(topic: "payments", partition: prediction.partition)
        let scoring = control.scoring(topology: "pay", of: partition, at: prediction.offset)
        return scoring.flatMap { registry["fraud"]?.aliases["champion"]?.version(atOffset: $0.position) }
      }
    }
    for (prediction, version) in zip(predictions, served) {
      let number = try #require(prediction.version)
      #expect(prediction.score == expected[number - 1][prediction.place]?.score, "\(prediction.place)")
      if prediction.arm == "champion" { #expect(version == number, "\(prediction.place)") }
    }
    return predictions
  }

  @Test func `a version replaces another one at an offset that is recorded, without a restart`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      #expect(try await registered.add(ScoredPayments.modelText, number: 1) == .applied)
      #expect(try await registered.promote(1, from: nil) == .applied)
      let plan = try Registered.plan(node)
      let engine = try await node.engine(plan)
      let events = Payments.events(2_000, seed: 31)
      try await node.publish(Array(events[..<1_000]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try await registered.add(Registered.other, number: 2)
      let position = engine.modelPosition
      let began = WallClock.monotonic.nowMilliseconds
      try await registered.promote(2, from: 1)
      try await eventually("the other version is in force") { engine.modelPosition > position }
      #expect(WallClock.monotonic.nowMilliseconds - began < 1_000)
      // An idle task commits too, to say by what it scores from here on.
      try await eventually("every task has gone over") { try await Self.scorings(node).allSatisfy { $0.count == 2 } }
      #expect(WallClock.monotonic.nowMilliseconds - began < 2_000)
      try await node.publish(Array(events[1_000...]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      await engine.drain()
      let predictions = try await Self.expectAll(
        registered, events, plan, models: [ScoredPayments.modelText, Registered.other])
      for partition in 0..<Self.partitions {
        let versions = predictions.filter { $0.partition == partition }.compactMap(\.version)
        #expect(versions == versions.sorted() && Set(versions) == [1, 2])
      }
      #expect(predictions.allSatisfy { $0.arm == "champion" })
    }
  }

  private static func scorings(_ node: Node) async throws -> [[ControlState.Scoring]] {
    let client = node.client
    let found = try await onThread {
      let control = try ControlLog(client)
      _ = try control.currentRegistry()
      return control.scorings(topology: "pay")
    }
    return (0..<partitions).map { found[$0] ?? [] }
  }

  @Test func `engines that die while versions change lose no prediction and make none twice`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      var registered = Registered(node: node)
      registered.directories = ["a", "b"]
      try await registered.add(ScoredPayments.modelText, number: 1)
      try await registered.add(Registered.other, number: 2)
      try await registered.promote(1, from: nil)
      let plan = try Registered.plan(node)
      let events = Payments.events(2_400, seed: 32)
      var random = SplitMix64(seed: 32)
      var current = 1
      for round in 0..<8 {
        // The other data folder is another machine: its state comes from the log.
        let engine = try await node.engine(plan, directory: round % 3 == 2 ? "b" : "a") {
          $0.checkpointIntervalMilliseconds = [40, 150, 10_000][round % 3]
        }
        try await node.publish(Array(events[round * 300..<(round + 1) * 300]), partitions: Self.partitions)
        #expect(try await registered.promote(3 - current, from: current) == .applied)
        current = 3 - current
        try await Task.sleep(for: .milliseconds(Int(random.next() % 300)))
        await engine.abandon()
      }
      let last = try await node.engine(plan)
      try await EngineTests.waitUntilApplied(node, [last], hasShops: false)
      await last.drain()
      let models = [ScoredPayments.modelText, Registered.other]
      let predictions = try await Self.expectAll(registered, events, plan, models: models)
      #expect(Set(predictions.compactMap(\.version)) == [1, 2], "no switch was tested")
    }
  }

  @Test func `of two who promote at once one wins, and every process agrees`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      for number in 1...3 {
        try await registered.add(ScoredPayments.modelText + Array(repeating: 10, count: number), number: number)
      }
      try await registered.promote(1, from: nil)
      async let second = registered.promote(2, from: 1)
      async let third = registered.promote(3, from: 1)
      let outcomes = try await [second, third]
      #expect(outcomes.filter { $0 == .applied }.count == 1)
      let winner = outcomes[0] == .applied ? 2 : 3
      #expect(try await registered.state()["fraud"]?.aliases["champion"]?.version == winner)
    }
  }

  @Test func `a shadow sees the same events and changes nothing of what is answered`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      try await registered.add(ScoredPayments.modelText, number: 1)
      try await registered.add(Registered.other, number: 2)
      try await registered.promote(1, from: nil)
      try await registered.start(Rollout(kind: .shadow, version: 2), beside: 1)
      let plan = try Registered.plan(node)
      let engine = try await node.engine(plan)
      let events = Payments.events(900, seed: 33)
      try await node.publish(events, partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      let models = [ScoredPayments.modelText, Registered.other]
      let count = try ScoredPayments.expected(EngineTests.log(events), plan).count
      try await eventually("the report has every event") {
        engine.rolloutReports.first?.figures.challenger.predictions == count
      }
      let report = try #require(engine.rolloutReports.first)
      await engine.drain()
      let predictions = try await Self.expectAll(registered, events, plan, models: models)
      #expect(predictions.allSatisfy { $0.version == 1 && $0.arm == "champion" })
      let answered = Dictionary(uniqueKeysWithValues: predictions.map { ($0.place, $0) })
      let shadows = try await registered.predictions("pay.predictions.shadow", partitions: Self.partitions)
      #expect(Set(shadows.map(\.place)) == Set(answered.keys) && shadows.count == answered.count)
      let expected = try ScoredPayments.expected(
        EngineTests.log(events), plan, model: ScoredPayments.named(Registered.other))
      var (sum, largest, agreeing) = (0.0, 0.0, 0)
      for shadow in shadows {
        let score = try #require(shadow.score)
        let other = try #require(answered[shadow.place]?.score)
        #expect(score == expected[shadow.place]?.score && shadow.version == 2 && shadow.arm == "shadow")
        #expect(shadow.json["difference"].number == score - other && shadow.json["answered_version"]?.integer == 1)
        sum += (score - other).magnitude
        largest = max(largest, (score - other).magnitude)
        agreeing += (score >= 0.5) == (other >= 0.5) ? 1 : 0
      }
      #expect(report.figures.compared == count && report.figures.differenceMaximum == largest && largest > 0)
      #expect(abs((report.figures.meanDifference ?? 0) - sum / Double(count)) < 1e-12)
      #expect(report.figures.agreement == Double(agreeing) / Double(count))
    }
  }

  @Test func `a canary has its share of the keys, and a key stays where it is`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      try await registered.add(ScoredPayments.modelText, number: 1)
      try await registered.add(Registered.other, number: 2)
      try await registered.promote(1, from: nil)
      var rollout = Rollout(kind: .canary, version: 2, sharePerMille: 300, salt: "s", segments: ["amount > 100"])
      try await registered.start(rollout, beside: 1)
      let plan = try Registered.plan(node)
      let engine = try await node.engine(plan)
      let events = Payments.events(3_000, seed: 34, users: 211)
      try await node.publish(Array(events[..<1_500]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      let position = engine.modelPosition
      rollout.sharePerMille = 600
      try await registered.start(rollout, beside: 1)
      try await eventually("the larger share is in force") { engine.modelPosition > position }
      try await eventually("every task has gone over") { try await Self.scorings(node).allSatisfy { $0.count == 2 } }
      try await node.publish(Array(events[1_500...]), partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      await engine.drain()
      let models = [ScoredPayments.modelText, Registered.other]
      let predictions = try await Self.expectAll(registered, events, plan, models: models)
      let log = EngineTests.log(events)
      let first = EngineTests.log(Array(events[..<1_500])).mapValues(\.count)
      var shares = [(canary: 0, all: 0), (canary: 0, all: 0)]
      for prediction in predictions {
        let event = try #require(log[prediction.partition]?[Int(prediction.offset)])
        let step = Int(prediction.offset) < first[prediction.partition] ?? 0 ? 0 : 1
        let share = KeyShare(perMille: [300, 600][step], salt: "s")
        let isCanary = share.contains(Array(event.user.utf8)) && event.amount > 100
        #expect(prediction.arm == (isCanary ? "canary" : "champion") && prediction.version == (isCanary ? 2 : 1))
        guard event.amount > 100 else { continue }
        shares[step].all += 1
        if isCanary { shares[step].canary += 1 }
      }
      for (step, expected) in [0.3, 0.6].enumerated() {
        #expect(abs(Double(shares[step].canary) / Double(shares[step].all) - expected) < 0.12, "\(shares)")
      }
    }
  }

  @Test(arguments: [true, false])
  func `gates end a canary by themselves`(isGood: Bool) async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      try await registered.add(ScoredPayments.modelText, number: 1)
      // A comment makes another file of the same scores.
      try await registered.add(isGood ? ScoredPayments.modelText + [10] : Self.broken, number: 2)
      try await registered.promote(1, from: nil)
      let gates = [
        RolloutGate(metric: .scorePSI, atMost: 0.5, predictionsMin: 200),
        RolloutGate(metric: .errorRate, atMost: 0, predictionsMin: 200),
      ]
      try await registered.start(
        Rollout(kind: .canary, version: 2, sharePerMille: 500, salt: "g", gates: gates, decides: .automatic), beside: 1)
      let engine = try await node.engine(try Registered.plan(node))
      try await node.publish(Payments.events(2_000, seed: 35, users: 300), partitions: Self.partitions)
      try await eventually("the gates have decided") {
        try await registered.state()["fraud"]?.aliases["champion"]?.rollouts.isEmpty ?? false
      }
      await engine.drain()
      let alias = try #require(try await registered.state()["fraud"]?.aliases["champion"])
      #expect(alias.version == (isGood ? 2 : 1))
      let record = try #require(alias.rolloutHistory.last)
      #expect(record.verdict == (isGood ? .promoted : .rolledBack) && record.ended?.actor == "gates")
      #expect(record.ended?.reason.contains(isGood ? "score_psi" : "of at most") ?? false)
    }
  }

  /// Rolled back by what is certain of the difference of the scores, promoted where none that matters can be excluded;
  /// without a figure that only looks like one.
  @Test(arguments: [true, false], [Rollout.Kind.canary, .shadow])
  func `drift gates end a rollout with their evidence`(isGood: Bool, kind: Rollout.Kind) async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      try await registered.add(ScoredPayments.modelText, number: 1)
      try await registered.add(isGood ? ScoredPayments.modelText + [10] : Self.broken, number: 2)
      try await registered.promote(1, from: nil)
      var gates = [RolloutGate(metric: .scoreDrift, atMost: 0.2, predictionsMin: 400)]
      if kind == .canary { gates.append(RolloutGate(metric: .featureDrift, atMost: 0.25, predictionsMin: 400)) }
      try await registered.start(
        Rollout(kind: kind, version: 2, sharePerMille: 500, salt: "g", gates: gates, decides: .automatic), beside: 1)
      let engine = try await node.engine(try Registered.plan(node))
      try await node.publish(Payments.events(6_000, seed: 38, users: 900), partitions: Self.partitions)
      try await eventually("the gates have decided") {
        try await registered.state()["fraud"]?.aliases["champion"]?.rollouts.isEmpty ?? false
      }
      await engine.drain()
      let alias = try #require(try await registered.state()["fraud"]?.aliases["champion"])
      let record = try #require(alias.rolloutHistory.last)
      let reason = try #require(record.ended?.reason)
      print("\(kind.rawValue): \(reason)")
      #expect(alias.version == (isGood ? 2 : 1), "\(reason)")
      #expect(record.verdict == (isGood ? .promoted : .rolledBack) && record.ended?.actor == "gates")
      for part in ["score_drift", "of at most 0.2", "certain", "keys", "offsets", "decided at"] {
        #expect(reason.contains(part), "\(part) in \(reason)")
      }
    }
  }

  /// Scores of another order.
  private static let broken = Array(
    #"{"model": "linear", "weights": [0.1, 0, 0, 0, 0, 0.001, 0], "intercept": 3}"#.utf8)

  @Test func `what has no number goes to the fallbacks`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      // Of nulls a linear model makes no number.
      try await registered.add(
        Array(#"{"model": "linear", "weights": [0, 0, 0, 0, 0, 0.001, 0.5], "intercept": 0.1}"#.utf8), number: 1)
      try await registered.add(ScoredPayments.modelText, number: 2)
      try await registered.promote(1, from: nil)
      try await registered.send(.setAlias(model: "fraud", alias: "old", version: 2, expected: nil))
      let plan = try Registered.plan(node, ", fallback: [fraud@old, 0.25]")
      let engine = try await node.engine(plan)
      let events = Payments.events(900, seed: 36)
      try await node.publish(events, partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      await engine.drain()
      let trees = try ScoredPayments.expected(
        EngineTests.log(events), plan, model: ScoredPayments.named(ScoredPayments.modelText))
      let predictions = try await registered.predictions(partitions: Self.partitions)
      #expect(predictions.count == trees.count)
      var fallbacks = 0
      for prediction in predictions {
        let expected = try #require(trees[prediction.place])
        let hasNull = expected.vector.contains(where: \.isNaN)
        #expect(prediction.arm == (hasNull ? "fallback" : "champion"), "\(prediction.place)")
        if hasNull {
          fallbacks += 1
          #expect(prediction.score == expected.score && prediction.version == 2)
          #expect(prediction.json["error"]?.string == "not_a_number")
        }
      }
      print("fallbacks: \(fallbacks) of \(predictions.count)")
    }
  }

  @Test func `a version that does not fit, or is nowhere, leaves the running one in force`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let registered = Registered(node: node)
      try await registered.add(ScoredPayments.modelText, number: 1)
      try await registered.add(Array(#"{"model": "linear", "weights": [1, 2], "intercept": 3}"#.utf8), number: 2)
      try await registered.promote(1, from: nil)
      let plan = try Registered.plan(node)
      let engine = try await node.engine(plan)
      try await registered.promote(2, from: 1)
      try await eventually("the trouble is told") { engine.modelTrouble?.contains("MODEL_DOES_NOT_FIT") ?? false }
      let events = Payments.events(300, seed: 37)
      try await node.publish(events, partitions: Self.partitions)
      try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
      try await registered.promote(1, from: 2)
      try await eventually("the trouble is over") { engine.modelTrouble == nil }
      await engine.drain()
      let predictions = try await registered.predictions(partitions: Self.partitions)
      #expect(predictions.allSatisfy { $0.version == 1 } && !predictions.isEmpty)
    }
  }
}
