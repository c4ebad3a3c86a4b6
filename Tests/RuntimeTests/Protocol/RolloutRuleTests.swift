import Core
import Drift
import Kafka
import Registry
import Testing
import Topology

@testable import Runtime

/// The pure parts of rollouts: who scores as of a place of the control topic, shares of keys, gates.
@Suite struct RolloutRuleTests {
  private static func version(_ number: Int) -> RegistryCommand.Change {
    .addVersion(
      ModelVersion(
        model: "fraud", number: number, contentHash: "\(number)", format: "test", summary: "", featureCount: 1,
        featureNames: [], outputCount: 1, addedAtMilliseconds: 0, addedBy: "test"))
  }

  private static func alias(_ version: Int, from expected: Int?) -> RegistryCommand.Change {
    .setAlias(model: "fraud", alias: "champion", version: version, expected: expected)
  }

  private static func state(_ changes: [RegistryCommand.Change]) -> RegistryState {
    var state = RegistryState()
    for (index, change) in changes.enumerated() {
      // Offsets of other records lie between.
      let outcome = state.apply(
        RegistryCommand(actor: "test", change: change), offset: Int64(index * 10), timeMilliseconds: 0)
      #expect(outcome == .applied)
    }
    return state
  }

  @Test func `what scored at any place can be told from what is known later`() throws {
    let canary = Rollout(kind: .canary, version: 2, sharePerMille: 100, salt: "s")
    let shadow = Rollout(kind: .shadow, version: 3)
    let changes: [RegistryCommand.Change] = [
      Self.version(1), Self.version(2), Self.version(3), Self.alias(1, from: nil),
      .startRollout(model: "fraud", alias: "champion", rollout: canary, expected: 1),
      .startRollout(model: "fraud", alias: "champion", rollout: shadow, expected: 1),
      .endRollout(model: "fraud", alias: "champion", version: 2, verdict: .promoted, expected: 1),
      Self.alias(1, from: 2),
    ]
    var model = try #require(
      try Self.plan("use: fraud@champion\n    fallback: [fraud@champion, 0.5]").models.first)
    model.shadow = nil
    let complete = Self.state(changes)
    for count in 0...changes.count {
      let prefix = Self.state(Array(changes[..<count]))
      let place = Int64(count * 10) - 1
      #expect(
        ModelAssignment(model, of: "pay", complete, at: place) == ModelAssignment(model, of: "pay", prefix, at: .max),
        "\(count)")
      #expect(
        complete.position(of: [model], of: "pay", at: place) == prefix.position(of: [model], of: "pay", at: .max),
        "\(count)")
    }
    func at(_ place: Int64) -> ModelAssignment? { ModelAssignment(model, of: "pay", complete, at: place) }
    #expect(at(29) == nil && at(30)?.champion.number == 1 && at(39)?.challenger == nil)
    #expect(at(40)?.challenger?.version.number == 2 && at(40)?.shadows == [])
    #expect(at(55)?.shadows.map(\.number) == [3] && at(55)?.challenger?.rollout == canary)
    #expect(at(60)?.champion.number == 2 && at(60)?.challenger == nil && at(60)?.shadows.map(\.number) == [3])
    #expect(at(70)?.champion.number == 1)
    // Commands about other things are no switch.
    #expect(
      complete.position(of: [model], of: "pay", at: 29) == -1 && complete.position(of: [model], of: "pay", at: 39) == 30
    )
    #expect(at(30)?.fallbacks == [.version(.init(number: 1, contentHash: "1")), .constant(0.5)])
  }

  private static func plan(_ keys: String) throws -> Plan {
    let base = try Payments.plan(Payments.views).document
    let yaml = """
      \(base.topology)
      services: {s: ["by_user:n_1h"]}
      models:
        m:
          service: s
          each: payments
          output: pay.predictions
          \(keys)
      """
    let schemas = SchemaDirectory(texts: ["payments": Payments.schema])
    return try TopologyLoader.load(yaml: yaml, file: "pay.yaml", schemas: schemas).get()
  }

  @Test func `a share is even, sticky, and grows without moving a key`() {
    let keys = (0..<20_000).map { Array("user-\($0)".utf8) }
    for perMille in [0, 1, 50, 500, 999, 1_000] {
      let share = KeyShare(perMille: perMille, salt: "fraud:2")
      let count = keys.count { share.contains($0) }
      let expected = Double(keys.count * perMille) / 1_000
      #expect(abs(Double(count) - expected) <= 4 * expected.squareRoot() + 1, "\(perMille): \(count)")
      let larger = KeyShare(perMille: min(perMille + 100, 1_000), salt: "fraud:2")
      #expect(keys.allSatisfy { !share.contains($0) || larger.contains($0) })
    }
    // Two salts share no more keys than chance has it.
    let (one, other) = (KeyShare(perMille: 200, salt: "a"), KeyShare(perMille: 200, salt: "b"))
    let both = keys.count { one.contains($0) && other.contains($0) }
    #expect(abs(both - 800) < 120)
  }

  @Test func `gates wait for their predictions, one that is broken is enough, all must hold`() {
    var rollout = Rollout(
      kind: .canary, version: 2, sharePerMille: 500,
      gates: [
        RolloutGate(metric: .scorePSI, atMost: 0.2, predictionsMin: 1_000),
        RolloutGate(metric: .errorRate, atMost: 0.01, predictionsMin: 100),
        RolloutGate(metric: .latencyMilliseconds, atMost: 1, predictionsMin: 100),
      ])
    var random = SplitMix64(seed: 41)
    var window = RolloutWindow(rollout.gates)
    func score() -> Double { Double(random.next() % 1_000) / 1_000 }
    for _ in 0..<999 {
      let (one, other) = (score(), score())
      window.add {
        $0.champion.add(score: one, hasFailed: false, nanoseconds: 900)
        $0.challenger.add(score: other, hasFailed: false, nanoseconds: 900)
      }
    }
    let judge = RolloutJudge(rollout)
    #expect(judge.verdict(window) == .undecided)
    window.add { $0.challenger.add(score: 0.5, hasFailed: false, nanoseconds: 900) }
    guard case .promote(let reason) = judge.verdict(window) else {
      Issue.record("not promoted: \(judge.findings(window))")
      return
    }
    #expect(reason.contains("score_psi") && reason.contains("over 1000 predictions"))
    var failing = window
    for _ in 0..<20 { failing.add { $0.challenger.add(score: nil, hasFailed: true, nanoseconds: nil) } }
    #expect(judge.verdict(failing).isRollBack)
    var shifted = window
    for _ in 0..<1_000 { shifted.add { $0.challenger.add(score: 0.999, hasFailed: false, nanoseconds: 900) } }
    #expect(judge.verdict(shifted).isRollBack)
    var slow = window
    for _ in 0..<200 { slow.add { $0.challenger.add(score: 0.5, hasFailed: false, nanoseconds: 5_000_000) } }
    #expect(judge.verdict(slow).isRollBack)
    rollout.gates = []
    #expect(RolloutJudge(rollout).verdict(window) == .undecided)
  }

  @Test func `a fault that comes late is seen, and one that has passed is forgotten`() {
    let gates = [RolloutGate(metric: .errorRate, atMost: 0.1, predictionsMin: 100)]
    let judge = RolloutJudge(Rollout(kind: .canary, version: 2, sharePerMille: 500, gates: gates))
    var window = RolloutWindow(gates)
    var newest: [Bool] = []
    func add(_ count: Int, failing: Bool) {
      for _ in 0..<count {
        newest.append(failing)
        window.add { $0.challenger.add(score: failing ? nil : 0.5, hasFailed: failing, nanoseconds: nil) }
        let figures = window.newest(100).challenger
        // As many as the gate asks for and a slice more at most, and they are the newest ones.
        #expect(figures.predictions >= min(newest.count, 100) && figures.predictions < 100 + 100 / 8 + 1)
        #expect(figures.failures == newest.suffix(figures.predictions).count { $0 })
      }
    }
    add(100_000, failing: false)
    // Of all predictions these are 2 in 10,000.
    add(20, failing: true)
    #expect(judge.verdict(window).isRollBack && window.total.challenger.failureRate < 0.001)
    add(130, failing: false)
    #expect(judge.findings(window).allSatisfy(\.holds) && window.total.challenger.failures == 20)
  }

  @Test func `a drift gate that cannot be measured says why, and decides nothing`() {
    let gates = [
      RolloutGate(metric: .scoreDrift, atMost: 0.1, predictionsMin: 100),
      RolloutGate(metric: .featureDrift, atMost: 0.1, predictionsMin: 100),
    ]
    let canary = Rollout(kind: .canary, version: 2, sharePerMille: 500, gates: gates)
    let shadow = Rollout(kind: .shadow, version: 2, gates: gates)
    var segmented = canary
    segmented.segments = ["amount > 3"]
    func obstacle(_ metric: RolloutGate.Metric, _ rollout: Rollout, outputs: Int = 1, features: Bool = true)
      -> RolloutDrift.Obstacle?
    {
      RolloutDrift.obstacle(metric, rollout, outputCount: outputs, hasFeatures: features)
    }
    #expect(obstacle(.scoreDrift, canary, outputs: 3) == nil && obstacle(.featureDrift, canary) == nil)
    #expect(obstacle(.featureDrift, canary, features: false) == .noFeatures)
    #expect(obstacle(.scoreDrift, segmented) == nil && obstacle(.featureDrift, segmented) == nil)
    segmented.sharePerMille = 1_000
    #expect(obstacle(.scoreDrift, segmented) == .segments && obstacle(.errorRate, segmented) == nil)
    #expect(obstacle(.scoreDrift, shadow) == nil && obstacle(.scoreDrift, shadow, outputs: 3) == .severalScores)
    #expect(obstacle(.featureDrift, shadow) == .sameFeatures)
    var window = RolloutWindow(gates, drift: RolloutDrift(canary, outputCount: 1, features: []))
    for _ in 0..<1_000 { window.add { $0.challenger.add(score: 0.5, hasFailed: false, nanoseconds: 900) } }
    let judge = RolloutJudge(canary)
    #expect(judge.findings(window).allSatisfy { !$0.isBroken && !$0.holds && $0.value == nil })
    #expect(judge.verdict(window) == .undecided)
  }

  @Test func `the stability index of two sketches is that of their values`() {
    var random = SplitMix64(seed: 42)
    var (reference, current) = (QuantileSketch(), QuantileSketch())
    for _ in 0..<20_000 {
      reference.add(Double(random.next() % 10_000) / 10_000)
      current.add((Double(random.next() % 10_000) / 10_000).squareRoot())
    }
    #expect((reference.populationStabilityIndex(of: reference) ?? 1) < 1e-9)
    // Of u against √u over deciles of u: Σ (q - p) ln(q / p) with q = (2k + 1) / 100, p = 1 / 10.
    let expected = (0..<10).reduce(0.0) { sum, decile in
      let share = Double(2 * decile + 1) / 100
      return sum + (share - 0.1) * Self.logarithm(share / 0.1)
    }
    let found = reference.populationStabilityIndex(of: current) ?? 0
    #expect(abs(found - expected) < 0.05, "\(found) \(expected)")
    #expect(QuantileSketch().populationStabilityIndex(of: current) == nil)
    #expect(reference.populationStabilityIndex(of: QuantileSketch()) == nil)
  }

  /// By its series: tests of this module have no mathematics library.
  private static func logarithm(_ value: Double) -> Double {
    let ratio = (value - 1) / (value + 1)
    var (power, sum) = (ratio, 0.0)
    for index in 0..<400 {
      sum += power / Double(2 * index + 1)
      power *= ratio * ratio
    }
    return 2 * sum
  }

  @Test func `what a task says of its scoring counts once`() {
    var state = ControlState()
    let partition = TopicPartition(topic: "payments", partition: 1)
    for (position, offset) in [(3, 10), (3, 10), (7, 25)] as [(Int64, Int64)] {
      state.apply(
        .scores(topology: "pay", position: position, task: 1, offsets: [partition: offset]), offset: offset)
    }
    #expect(state.scorings["pay"]?[1]?.map(\.position) == [3, 7])
    let command = RegistryCommand(actor: "test", change: Self.version(1))
    state.awaited = [command.id]
    state.apply(.registry(command), offset: 30)
    #expect(state.takeOutcome(of: command.id) == .applied && state.takeOutcome(of: command.id) == nil)
    #expect(state.registry["fraud"]?.versions.count == 1)
  }

  @Test func `a commit says by what records behind it are scored`() {
    let metadata = CommitMetadata(
      planFingerprint: 7, digest: 9, scoring: ScoringPosition(position: 41, since: 1_000_000))
    #expect(CommitMetadata(metadata.text) == metadata && metadata.text.utf8.allSatisfy { $0 < 128 })
    let plain = CommitMetadata(planFingerprint: 7, digest: 9)
    #expect(CommitMetadata(plain.text) == plain && plain.text.split(separator: " ").count == 3)
    #expect(CommitMetadata(plain.text + " 1") == nil && CommitMetadata(plain.text + " 1 x") == nil)
  }
}

extension RolloutJudge.Verdict {
  fileprivate var isRollBack: Bool {
    if case .rollBack = self { true } else { false }
  }
}
