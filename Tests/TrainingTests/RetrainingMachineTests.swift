import Core
import Registry
import Testing
import Topology

@testable import Training

/// The machine under deaths: a world that lasts (log and files), a process that does not.
@Suite struct RetrainingMachineTests {
  /// What lasts: the log, files under their names, and how often each piece of work was done.
  private struct World {
    var registry = RegistryState()
    var now: Int64 = 1_000
    var results: [RetrainingAction.Work: RetrainingFacts.Result] = [:]
    var stored: Set<String> = []
    var told: Set<String> = []
    var tellings: [String: Int] = [:]
    var worked: [RetrainingAction.Work: Int] = [:]
    var acknowledged = 0
    var versions: Set<String> = []

    mutating func send(_ change: RegistryCommand.Change, actor: String = "policy p") -> RegistryOutcome {
      now += 10
      return registry.apply(
        RegistryCommand(actor: actor, change: change), offset: registry.offset + 1, timeMilliseconds: now)
    }
  }

  private static let hash = String(repeating: "a", count: 64)
  private static let first = String(repeating: "b", count: 64)

  private static func version(_ number: Int, _ hash: String) -> ModelVersion {
    ModelVersion(
      model: "fraud", number: number, contentHash: hash, format: "linear_json", summary: "", featureCount: 1,
      featureNames: ["x"], outputCount: 1, addedAtMilliseconds: 0, addedBy: "test")
  }

  private static func report(gain: Double) -> EvaluationReport {
    EvaluationReport(
      dataset: "d", manifestHash: "", label: "label", objective: .binary, rowCount: 100, trainingRowCount: 400,
      labelMean: 0.5, confidence: 0.95, threshold: 0.5,
      models: [
        .init(
          name: "challenger", role: .challenger, contentHash: hash,
          metrics: [.init(name: "auc", value: 0.8, low: 0.7, high: 0.9)], claims: [])
      ],
      differences: [
        .init(
          metric: "auc", against: "champion v1", role: .champion, value: gain, low: gain - 0.01, high: gain + 0.01,
          method: "delong", higherIsBetter: true)
      ], slices: [], findings: [])
  }

  private static func evaluation(gain: Double) -> EvaluationResult {
    EvaluationResult(
      championVersion: 1, format: "linear_json", summary: "", featureNames: ["x"], featureCount: 1, outputCount: 1,
      report: report(gain: gain))
  }

  private static func policy(_ promote: Promotion, shadow: Bool, canary: Bool) -> PolicyPlan {
    PolicyPlan.sample(
      gates: [.betterThanChampion(.auc, margin: 0)], promote: promote,
      shadow: shadow ? PolicyShadow(milliseconds: 0, eventCount: 1, gates: []) : nil,
      canary: canary ? PolicyCanary(sharePerMille: 100, milliseconds: 0, eventCount: 1, gates: []) : nil)
  }

  private func world() -> World {
    var world = World()
    _ = world.send(.addVersion(Self.version(1, Self.first)))
    _ = world.send(.setAlias(model: "fraud", alias: "champion", version: 1, expected: nil))
    var cause = RetrainingCause(
      kind: .drift, trigger: "drift(watch) for 1 windows", streamMilliseconds: 500, wallMilliseconds: 1_000)
    cause.monitor = "watch"
    _ = world.send(
      .openRetraining(
        Retraining(
          id: "r", policy: "t.p", model: "fraud", cause: cause.json, openedBy: "policy p", atMilliseconds: 500)))
    return world
  }

  private func facts(_ world: World, _ step: RetrainingStep) -> RetrainingFacts {
    var facts = RetrainingFacts(nowMilliseconds: world.now, streamMilliseconds: 700)
    facts.result = RetrainingAction.Work(rawValue: step.rawValue).flatMap { world.results[$0] }
    facts.storedHashes = world.stored
    facts.told = world.told
    if step == .shadow || step == .canary {
      facts.trial = .init(version: 2, predictionCount: 5, broken: [], holds: true, json: "{}")
    }
    return facts
  }

  /// What an action leaves. `dies`: in the middle of work that leaves nothing then.
  private func perform(_ action: RetrainingAction, _ world: inout World, gain: Double, dies: Bool) {
    switch action {
    case .wait:
      // Somebody approves; nobody else is waited for here.
      _ = world.send(.decideApproval(id: "r", verdict: .approved), actor: "boss")
    case .work(let work):
      if dies { return }
      world.worked[work, default: 0] += 1
      world.results[work] =
        switch work {
        case .dataset:
          .dataset(
            DatasetResult(
              folder: "datasets/r/1", manifestHash: "", contentHash: Self.hash, rowCount: 500, fromMilliseconds: 0,
              toMilliseconds: 500, serviceName: "s", serviceFingerprint: "f", tables: [:], seconds: 1))
        case .train:
          .model(
            ModelResult(
              path: "/model", contentHash: Self.hash, sizeBytes: 1, seconds: 1, codeRevision: "", claims: []))
        case .evaluate: .evaluation(Self.evaluation(gain: gain))
        }
    case .store(_, let hash): world.stored.insert(hash)
    case .send(let change): _ = world.send(change)
    case .tell(let message):
      world.tellings[message.key, default: 0] += 1
      if !dies { world.told.insert(message.key) }
    case .callOutside(let message): world.told.insert(message.key)
    case .acknowledge:
      world.acknowledged += 1
      if !dies { world.told.insert("r-acknowledged") }
    }
  }

  /// The naive oracle: which steps a policy takes when nobody ever dies.
  private func expected(_ policy: PolicyPlan, gain: Double) -> [RetrainingStep] {
    guard gain > 0.01 else { return [.dataset, .train, .evaluate, .gate, .refused] }
    return [.dataset, .train, .evaluate, .gate, .register] + (policy.shadow == nil ? [] : [.shadow])
      + (policy.canary == nil ? [] : [.canary]) + (policy.promote == .approval ? [.approval] : []) + [.promote, .done]
  }

  @Test func `Whenever it dies it ends the same and trains once`() {
    for seed in 0..<400 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      let policy = Self.policy(
        random.next() % 2 == 0 ? .approval : .automatic, shadow: random.next() % 2 == 0, canary: random.next() % 2 == 0)
      let gain = random.next() % 4 == 0 ? -0.1 : 0.2
      let machine = RetrainingMachine(policy, model: "fraud", alias: "champion")
      var world = world()
      var actions = 0
      while let retraining = world.registry.retrainings["r"], retraining.isOpen, actions < 500 {
        actions += 1
        let action = machine.next(retraining, world.registry, facts(world, retraining.step))
        // Dying before the action is looking again; dying in it leaves what it left by then.
        if random.next() % 5 == 0 { continue }
        perform(action, &world, gain: gain, dies: random.next() % 5 == 0)
      }
      let steps = world.registry.retrainings["r"]?.steps.map(\.step) ?? []
      #expect(steps == expected(policy, gain: gain), "seed \(seed)")
      #expect(world.worked[.train] == 1 && world.worked[.dataset] == 1 && world.worked[.evaluate] == 1, "seed \(seed)")
      let isBetter = gain > 0
      #expect(world.registry["fraud"]?.versions.count == (isBetter ? 2 : 1), "seed \(seed)")
      #expect(world.registry["fraud"]?.aliases["champion"]?.version == (isBetter ? 2 : 1), "seed \(seed)")
      #expect(world.registry["fraud"]?.aliases["champion"]?.rollouts.isEmpty == true, "seed \(seed)")
      #expect(world.registry.runs["r"]?.result?.status == .finished, "seed \(seed)")
      #expect(Set(world.tellings.keys).subtracting(["r-end", "r-approval"]).isEmpty, "seed \(seed)")
    }
  }

  @Test func `Bad data is paged and never trained on`() {
    var world = World()
    var cause = RetrainingCause(kind: .drift, trigger: "drift(w)", streamMilliseconds: 5, wallMilliseconds: 5)
    cause.dataBug = "unit"
    cause.alarms = [.init(eventID: "e", feature: "amount", cause: "unit")]
    _ = world.send(
      .openRetraining(
        Retraining(id: "r", policy: "t.p", model: "fraud", cause: cause.json, openedBy: "p", atMilliseconds: 5)))
    let machine = RetrainingMachine(
      Self.policy(.automatic, shadow: false, canary: false), model: "fraud", alias: "champion")
    while let retraining = world.registry.retrainings["r"], retraining.isOpen {
      let action = machine.next(retraining, world.registry, facts(world, retraining.step))
      if case .work = action {
        Issue.record("work on bad data")
        return
      }
      if case .tell(let message) = action { #expect(message.kind == "paged" && message.text.contains("amount (unit)")) }
      perform(action, &world, gain: 0, dies: false)
    }
    #expect(world.registry.retrainings["r"]?.step == .stopped)
  }

  @Test func `Too few labels, work that fails, a champion that changed: each ends with its reason`() {
    var policy = Self.policy(.automatic, shadow: false, canary: false)
    policy.guards.minimumLabelCount = 501
    var world = world()
    run(policy, &world)
    #expect(world.registry.retrainings["r"]?.step == .stopped)
    #expect(world.registry.retrainings["r"]?.steps.last?.note == "500 labels, at least 501 are needed")

    world = self.world()
    run(Self.policy(.automatic, shadow: false, canary: false), &world, failing: .train)
    #expect(world.registry.retrainings["r"]?.step == .stopped)
    #expect(world.registry.runs["r"]?.result?.status == .failed)

    world = self.world()
    _ = world.send(.addVersion(Self.version(2, String(repeating: "c", count: 64))))
    run(Self.policy(.automatic, shadow: false, canary: false), &world) { world, step in
      if step == .promote { _ = world.send(.setAlias(model: "fraud", alias: "champion", version: 2, expected: 1)) }
    }
    #expect(world.registry.retrainings["r"]?.step == .refused)
    #expect(world.registry["fraud"]?.aliases["champion"]?.version == 2)
  }

  @Test func `An approval that nobody gives runs out, and who asked cannot give it`() {
    let policy = Self.policy(.approval, shadow: true, canary: false)
    let machine = RetrainingMachine(policy, model: "fraud", alias: "champion")
    var world = world()
    for _ in 0..<200 {
      guard let retraining = world.registry.retrainings["r"], retraining.isOpen else { break }
      let action = machine.next(retraining, world.registry, facts(world, retraining.step))
      if action == .wait {
        #expect(world.send(.decideApproval(id: "r", verdict: .approved), actor: "policy p") != .applied)
        world.now += policy.approvalTimeoutMilliseconds + 1
      } else {
        perform(action, &world, gain: 0.2, dies: false)
      }
    }
    #expect(world.registry.retrainings["r"]?.step == .refused)
    #expect(world.registry["fraud"]?.aliases["champion"]?.version == 1)
    // The shadow went with it.
    #expect(world.registry["fraud"]?.aliases["champion"]?.rollouts.isEmpty == true)
  }

  private func run(
    _ policy: PolicyPlan, _ world: inout World, failing: RetrainingAction.Work? = nil,
    meanwhile: (inout World, RetrainingStep) -> Void = { _, _ in }
  ) {
    let machine = RetrainingMachine(policy, model: "fraud", alias: "champion")
    for _ in 0..<200 {
      guard let retraining = world.registry.retrainings["r"], retraining.isOpen else { return }
      meanwhile(&world, retraining.step)
      var facts = facts(world, retraining.step)
      if let failing, retraining.step.rawValue == failing.rawValue, world.registry.runs["r"] != nil {
        facts.failure = "it does not work"
      }
      perform(machine.next(retraining, world.registry, facts), &world, gain: 0.2, dies: false)
    }
  }
}

extension PolicyPlan {
  static func sample(
    gates: [PolicyGate], promote: Promotion, shadow: PolicyShadow?, canary: PolicyCanary?
  ) -> PolicyPlan {
    PolicyPlan(
      name: "p", about: About(), model: 0, triggers: [.byHand], work: .trainer(.xgboost, parameters: []),
      dataset: PolicyDataset(windowMilliseconds: 1_000, split: "time:0.8"), gates: gates, slices: nil, shadow: shadow,
      canary: canary, promote: promote, approvalTimeoutMilliseconds: 60_000, guards: PolicyGuards(), notify: [])
  }
}
