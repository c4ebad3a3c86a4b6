import Contracts
import Core
import Registry
import Testing
import Topology

@testable import Training

/// When a policy opens a retraining: random histories against a naive reading of them, and each rule by itself.
@Suite struct PolicyWatchTests {
  /// - Parameter policy: the lines of the policy beside its dataset and trainer.
  static func plan(_ policy: String) throws -> Plan {
    let text = """
      topology: t
      sources:
        departed: {topic: flights.departures, key: carrier, event_time: {field: ts, unit: ms}, lateness: 30m}
      entities: {carrier: [carrier]}
      views:
        carriers: {source: departed, entity: carrier, features: {n: count over 1h}}
      services: {s: ["carriers:n_1h", "request:distance"]}
      models:
        m:
          service: s
          each: departed
          output: predictions
          use: m@champion
          label: {source: departed, match: flight_id, value: dep_delay > 15, within: 24h}
      monitors:
        watch: {model: m, window: 1h, tests: {psi: 0.2}, performance: {auc: {min: 0.6}}}
        other: {model: m, window: 2h, tests: {psi: 0.2}}
      policies:
        p:
          model: m
          trainer: logistic
          dataset: {window: 1d}
          \(policy.split(separator: "\n").joined(separator: "\n    "))
      """
    let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try TopologyLoader.load(
      yaml: text, file: "t.yaml", schemas: SchemaDirectory(folder: "\(root)/schemas"), frozenServices: [:]
    ).get()
  }

  /// What goes on around a watch: the registry as it is, and all that the oracle wants to know.
  struct World {
    var watch: PolicyWatch
    var registry = RegistryState()
    var history: PolicyHistory
    var clock: Int64 = 1_800_000_000_000 / PolicyHistory.hour * PolicyHistory.hour
    var stream: Int64?
    var isNew = true
    var openings = 0

    init(_ plan: Plan) {
      watch = PolicyWatch(plan)
      history = PolicyHistory(plan: plan)
      for number in 1...2 { addVersion(number) }
      send(.setAlias(model: "m", alias: "champion", version: 1, expected: nil))
    }

    mutating func addVersion(_ number: Int) {
      let digits = String(number, radix: 16)
      send(
        .addVersion(
          ModelVersion(
            model: "m", number: number, contentHash: String(repeating: "0", count: 64 - digits.count) + digits,
            format: "linear_json", summary: "", featureCount: 1, featureNames: ["x"], outputCount: 1,
            addedAtMilliseconds: 0, addedBy: "test")))
    }

    @discardableResult
    mutating func send(_ change: RegistryCommand.Change) -> RegistryOutcome {
      registry.apply(
        RegistryCommand(actor: "test", change: change), offset: registry.offset + 1, timeMilliseconds: clock)
    }

    mutating func tell(_ event: DriftEvent) {
      history.events.append(event)
      watch.take(event)
    }

    /// Another process reads everything from the beginning.
    mutating func restart() {
      watch = PolicyWatch(history.plan, beginnings: watch.beginnings)
      for event in history.events { watch.take(event) }
      isNew = true
    }

    /// Looks, as a process does, and opens what is to be opened.
    mutating func look(_ facts: PolicyWatch.StreamFacts) -> (
      found: PolicyHistory.Answer?, expected: PolicyHistory.Answer?
    ) {
      let page = history.past.last { $0.cause.kind == .contractBreach }?.id
      history.looks.append(.init(facts: facts, isFirst: isNew, page: page))
      isNew = false
      if history.firstWall == nil { history.firstWall = facts.nowMilliseconds }
      if history.firstStream == nil { history.firstStream = facts.streamMilliseconds }
      let expected = history.answer()
      guard let opening = watch.decide(facts, registry).first,
        let cause = RetrainingCause(json: opening.retraining.cause)
      else { return (nil, expected) }
      openings += 1
      #expect(send(.openRetraining(opening.retraining)) == .applied)
      history.past.append(.init(id: opening.retraining.id, cause: cause))
      return (
        .init(
          kind: cause.kind, trigger: cause.trigger, stream: cause.streamMilliseconds,
          bugSince: cause.bugSinceMilliseconds, isBug: cause.dataBug != nil), expected
      )
    }

    /// What a copy of the watch would open.
    func openings(_ facts: PolicyWatch.StreamFacts) -> [PolicyWatch.Opening] {
      var copy = watch
      return copy.decide(facts, registry)
    }

    /// Ends what is open; `step` done makes the next version the one that answers.
    mutating func end(_ step: RetrainingStep, stream: Int64) {
      guard let index = history.past.firstIndex(where: \.isOpen) else { return }
      let past = history.past[index]
      // Nothing is ever trained on broken data.
      let last = past.cause.dataBug == nil ? step : .stopped
      if last == .done { promote() }
      let evidence = last == .done ? "{\"stream_ms\": \(stream)}" : ""
      send(.advanceRetraining(id: past.id, from: .dataset, to: last, note: "over", evidence: evidence))
      history.past[index].isOpen = false
      if last == .done { history.past[index].promotedAt = stream }
    }

    mutating func promote() {
      let now = registry["m"]?.aliases["champion"]?.version
      let next = (registry["m"]?.versions.count ?? 0) + 1
      addVersion(next)
      send(.setAlias(model: "m", alias: "champion", version: next, expected: now))
      history.aliases.append(next)
    }
  }

  private static let whens = [
    "when: drift(watch) for 2 windows", "when: drift(watch) or drift(other)", "when: performance(watch)",
    "when: performance(watch) for 2 windows or every 3d", "when: every 2d", "when: every 2d of wall time",
    "when: rows(departed) >= 500", "when: new_version(events/departed)", "when: contract_breach(departed) > 5%",
    "when: [contract_breach(departed) > 5%, drift(watch), every 1d]", "when: [rows(departed) >= 300, drift(other)]",
  ]
  private static let guards = [
    "", "cooldown: 1d", "cooldown: 5d", "budget: {runs_per_week: 2}", "cooldown: 1d\nbudget: {runs_per_week: 3}",
  ]

  @Test(arguments: 0..<55)
  func `It opens what a naive reading of the whole history opens`(kind: Int) throws {
    let plan = try Self.plan("\(Self.whens[kind % 11])\n\(Self.guards[kind / 11])")
    var openings = 0
    for seed in 0..<4 as Range<UInt64> {
      var random = SplitMix64(seed: seed &* 1_000 &+ UInt64(kind))
      var story = Story(World(plan))
      for step in 0..<80 {
        let (found, expected) = story.step(&random)
        guard found == expected else {
          Issue.record(
            "\(Self.whens[kind % 11]), seed \(seed), step \(step): \(found as Any) is not \(expected as Any)"
          )
          return
        }
      }
      openings += story.world.openings
    }
    #expect(openings > 0)
  }

  @Test func `Alarms of a former version ask for nothing, and say so once`() throws {
    var world = World(try Self.plan("when: drift(watch)"))
    world.promote()
    func tell(_ number: Int64, versions: Set<Int>, _ feature: String, reference: Set<Int>, isBug: Bool = false) {
      let (start, end) = (number * PolicyHistory.hour, (number + 1) * PolicyHistory.hour)
      world.tell(
        DriftEvent(
          id: "w\(number)", monitor: "watch", startMilliseconds: start, endMilliseconds: end, versions: versions,
          content: .window(alarms: [
            .init(
              id: "a\(number)", feature: feature, cause: isBug ? "unit" : "real_shift", isDataBug: isBug,
              isMuted: false, referenceVersions: reference)
          ])))
    }
    var facts = PolicyWatch.StreamFacts(nowMilliseconds: 1)
    facts.streamMilliseconds = 100 * PolicyHistory.hour
    tell(100, versions: [1], "amount", reference: [1])
    tell(101, versions: [1, 3], "amount", reference: [1])
    tell(102, versions: [3], "prediction", reference: [1])
    #expect(world.openings(facts).isEmpty)
    let ignored = world.watch.ignored(world.registry)
    #expect(
      ignored.map(\.reason) == [
        "its predictions come from version 1, and version 3 answers now",
        "its predictions come from version 1, and version 3 answers now",
        "its predictions are compared with those of version 1, and version 3 answers now",
      ])
    #expect(world.watch.settlements(world.registry).map(\.monitor) == ["watch"])
    for one in ignored { world.watch.noteIgnored(one.id) }
    #expect(world.watch.ignored(world.registry).isEmpty)
    // What the new version sees against itself counts, and so does a feature whatever the reference is.
    tell(103, versions: [3], "prediction", reference: [3])
    #expect(world.openings(facts).count == 1)
    #expect(world.watch.settlements(world.registry).isEmpty)
    tell(104, versions: [3], "amount", reference: [1])
    #expect(world.openings(facts).count == 1)
    // People hear of a defect whoever scored the rows.
    tell(105, versions: [1], "amount", reference: [1], isBug: true)
    #expect(world.openings(facts).first?.retraining.cause.contains("data_bug") == true)
  }

  /// A random walk through what may happen.
  private struct Story {
    var world: World
    var rows: Int64 = 0
    var table: Int64 = 0
    var ends: [String: Int64] = [:]
    var performanceEnd: Int64 = 0
    /// Told twice now and then, as after a death.
    var last: DriftEvent?

    init(_ world: World) { self.world = world }

    mutating func step(
      _ random: inout SplitMix64
    ) -> (PolicyHistory.Answer?, PolicyHistory.Answer?) {
      func below(_ count: UInt64) -> Bool { random.next() % 100 < count }
      world.clock += Int64(random.next() % 12) * PolicyHistory.hour
      if below(90) {
        let start = 1_000 * 24 * PolicyHistory.hour
        world.stream = (world.stream ?? start) + Int64(random.next() % 6) * PolicyHistory.hour
      }
      rows += Int64(random.next() % 200)
      if below(2) { rows = 0 }
      if below(10) { table += 1 }
      for (name, hours) in [("watch", 1), ("other", 2)] as [(String, Int64)] where below(50) {
        tellWindow(name, hours * PolicyHistory.hour, &random)
      }
      if below(40) { tellPerformance(&random) }
      if let last, below(10) { world.tell(last) }
      if below(5) { world.promote() }
      if below(15) { world.restart() }
      let outcome = random.next() % 4
      if below(40) { world.end(outcome == 0 ? .refused : outcome == 1 ? .stopped : .done, stream: world.stream ?? 0) }
      var facts = PolicyWatch.StreamFacts(nowMilliseconds: world.clock)
      facts.streamMilliseconds = below(90) ? world.stream : nil
      if below(90) { facts.rows = ["departed": rows] }
      if below(90) { facts.tableVersions = ["events/departed": table] }
      if below(70) { facts.refusedShares = ["departed": below(30) ? 0.5 : 0.01] }
      return world.look(facts)
    }

    private mutating func tellWindow(_ name: String, _ length: Int64, _ random: inout SplitMix64) {
      func below(_ count: UInt64) -> Bool { random.next() % 100 < count }
      let start = ends[name] ?? 1_000 * 24 * PolicyHistory.hour
      let end = start + length
      ends[name] = end
      let versions = below(20) ? [] : versions(&random)
      var alarms: [DriftEvent.Alarm] = []
      for feature in ["amount", "prediction"] where below(45) {
        let isBug = feature == "amount" && below(15)
        alarms.append(
          .init(
            id: "\(name)/\(end)/\(feature)", feature: feature, cause: isBug ? "unit" : "real_shift", isDataBug: isBug,
            isMuted: below(10), referenceVersions: self.versions(&random)))
      }
      let event = DriftEvent(
        id: "\(name)/\(end)", monitor: name, startMilliseconds: start, endMilliseconds: end, versions: versions,
        content: .window(alarms: alarms))
      world.tell(event)
      last = event
    }

    private mutating func tellPerformance(_ random: inout SplitMix64) {
      let start = performanceEnd == 0 ? 1_000 * 24 * PolicyHistory.hour : performanceEnd
      guard start + PolicyHistory.hour <= ends["watch"] ?? 0 else { return }
      performanceEnd = start + PolicyHistory.hour
      let event = DriftEvent(
        id: "performance/\(performanceEnd)", monitor: "watch", startMilliseconds: start,
        endMilliseconds: performanceEnd, versions: versions(&random),
        content: .performance(brokenBounds: random.next() % 2 == 0 ? ["auc"] : []))
      world.tell(event)
    }

    /// Mostly of the version that answers.
    private func versions(_ random: inout SplitMix64) -> Set<Int> {
      let now = world.history.aliases.last ?? 1
      var found: Set<Int> = random.next() % 4 == 0 ? [] : [now]
      if random.next() % 4 == 0 { found.insert(max(1, now - 1)) }
      return found
    }
  }
}
