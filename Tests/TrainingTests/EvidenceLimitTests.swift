import Core
import Registry
import Testing
import Topology

@testable import Training

/// What a step finds goes into the log, which takes so much of it.
@Suite struct EvidenceLimitTests {
  private static let hash = String(repeating: "a", count: 64)

  private static func difference(_ value: Double, _ role: EvaluationReport.Role) -> EvaluationReport.Difference {
    .init(
      metric: "auc", against: role.rawValue, role: role, value: value, low: value - 0.01, high: value + 0.01,
      method: "delong", higherIsBetter: true)
  }

  /// - Parameter worse: slices that got worse; they are the smallest ones.
  private static func evaluation(sliceCount: Int, worse: Int, featureNames: [String] = ["x"]) -> EvaluationResult {
    let roles = [EvaluationReport.Role.challenger, .champion, .baseline]
    let models = roles.map { role in
      EvaluationReport.ModelFigures(
        name: role.rawValue, role: role, contentHash: hash,
        metrics: (0..<7).map { .init(name: "metric\($0)", value: 0.123456789, low: 0.1, high: 0.2) }, claims: [])
    }
    let slices = (0..<sliceCount).map { number in
      EvaluationReport.Slice(
        name: "merchant = \(number)", rowCount: 10_000 - number, models: models,
        differences: [difference(number >= sliceCount - worse ? -0.5 : 0.1, .champion), difference(0.2, .baseline)])
    }
    return EvaluationResult(
      championVersion: 1, format: "linear_json", summary: "", featureNames: featureNames,
      featureCount: featureNames.count, outputCount: 1,
      report: EvaluationReport(
        dataset: "d", manifestHash: "", label: "label", objective: .binary, rowCount: 100, trainingRowCount: 400,
        labelMean: 0.5, confidence: 0.95, threshold: 0.5, models: models, differences: [difference(0.1, .champion)],
        slices: slices, findings: []))
  }

  @Test(arguments: [0, 10, 200, 1_280, 5_000])
  func `a report of many slices fits, and the slices that are worse stay`(_ count: Int) throws {
    let limit = RegistryLimits.evidenceBytes
    let worse = min(count, 5)
    let whole = Self.evaluation(sliceCount: count, worse: worse)
    let text = whole.json(bytesMax: limit)
    #expect(text.utf8.count <= limit)
    let kept = try #require(EvaluationResult(json: text))
    #expect(kept.report.slices.count { $0.differences.contains { $0.isWorse() } } == worse)
    #expect(kept.report.models == whole.report.models && kept.report.differences == whole.report.differences)
    // Nothing is left out that has room.
    if whole.json.utf8.count <= limit { #expect(kept == whole) }
    if count >= 200 { #expect(kept.report.slices.count >= 200) }
  }

  @Test func `what is too large for the log ends a retraining, and says so`() throws {
    let names = (0..<20_000).map { "feature_number_\($0)" }
    var registry = RegistryState()
    func send(_ change: RegistryCommand.Change) throws {
      let command = RegistryCommand(actor: "policy p", change: change)
      try command.check()
      #expect(registry.apply(command, offset: registry.offset + 1, timeMilliseconds: 1) == .applied)
    }
    try send(
      .openRetraining(
        Retraining(id: "r", policy: "t.p", model: "fraud", cause: "{}", openedBy: "p", atMilliseconds: 5)))
    try send(.advanceRetraining(id: "r", from: .dataset, to: .train, note: "", evidence: "{}"))
    try send(.advanceRetraining(id: "r", from: .train, to: .evaluate, note: "", evidence: "{}"))
    let policy = PolicyPlan.sample(gates: [], promote: .approval, shadow: nil, canary: nil)
    let machine = RetrainingMachine(policy, model: "fraud", alias: "champion")
    var facts = RetrainingFacts(nowMilliseconds: 1, streamMilliseconds: 1)
    facts.result = .evaluation(Self.evaluation(sliceCount: 3, worse: 0, featureNames: names))
    for _ in 0..<3 {
      let retraining = try #require(registry.retrainings["r"])
      switch machine.next(retraining, registry, facts) {
      case .tell(let message):
        #expect(message.text.contains("too large for the log"))
        facts.told.insert(message.key)
      case .send(let change): try send(change)
      case .wait: break
      case let other: Issue.record("\(other)")
      }
    }
    #expect(registry.retrainings["r"]?.step == .stopped)
  }

  @Test func `a note of many bytes is cut where the log takes it`() throws {
    var registry = RegistryState()
    let opened = RegistryCommand(
      actor: "p",
      change: .openRetraining(
        Retraining(id: "r", policy: "t.p", model: "fraud", cause: "{}", openedBy: "p", atMilliseconds: 5)))
    _ = registry.apply(opened, offset: 0, timeMilliseconds: 1)
    let policy = PolicyPlan.sample(gates: [], promote: .approval, shadow: nil, canary: nil)
    var facts = RetrainingFacts(nowMilliseconds: 1, streamMilliseconds: 1)
    // One character to a person: a letter with a thousand marks on it.
    facts.failure = String(repeating: "e" + String(repeating: "\u{301}", count: 1_000), count: 40)
    facts.told = ["r-end"]
    let action = RetrainingMachine(policy, model: "fraud", alias: "champion")
      .next(try #require(registry.retrainings["r"]), registry, facts)
    guard case .send(let change) = action else {
      Issue.record("\(action)")
      return
    }
    try RegistryCommand(actor: "p", change: change).check()
  }
}
