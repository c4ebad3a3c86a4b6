internal import Core
internal import Kafka
internal import Logging
internal import Registry
internal import Runtime
internal import Storage
internal import Topology
internal import Training

/// The readers and the state of a process's policies while one plan runs. Belongs to one thread.
final class RetrainingSession {
  private let plan: Plan
  let runner: RetrainingRunner
  let tables: any BlobStore
  let control: ControlLog
  private let drift: Consumer
  private var watch: PolicyWatch
  private var stream: StreamWatch
  private let worker: String
  /// Of retrainings that are being tried.
  private var trials: [String: TrialWatch] = [:]
  let notifier: Notifier
  /// The process that works for a retraining: one at a time, a laptop has few processors.
  private var child: (id: String, work: RetrainingAction.Work, process: ChildProcess)?
  /// What stands in the way of a retraining's next action, again and again.
  private var troubles: [String: Trouble] = [:]
  /// Monitors that were told to begin anew, and where.
  private var settled: [PolicyWatch.Settlement] = []
  private var isCaughtUp = false
  /// The last look found nothing to do.
  private var isAtRest = false
  private var nextLookAtMilliseconds: Int64 = 0

  private static let lookMilliseconds: Int64 = 200

  /// A command that is refused, a file that cannot be read: it may pass, as when somebody else was faster.
  private struct Trouble {
    var text = ""
    var sinceMilliseconds = WallClock.monotonic.nowMilliseconds
    var count = 0
    /// Nobody waits for ever: the retraining is being ended, and this is the reason.
    var isHopeless = false
  }

  private static let troubleMilliseconds: Int64 = 5_000
  private static let troublesMinimum = 5

  init(_ plan: Plan, _ runner: RetrainingRunner, _ tables: any BlobStore) throws {
    self.plan = plan
    self.runner = runner
    self.tables = tables
    let configuration = runner.configuration
    control = try ControlLog(configuration.client, replicationFactor: configuration.replicationFactor)
    try DriftTopic.make(configuration.client, replicationFactor: configuration.replicationFactor)
    var reader = ConsumerConfiguration(client: configuration.client, groupID: nil)
    reader.reportsPartitionEnds = true
    drift = try Consumer(reader)
    try drift.assign([TopicPartition(topic: DriftTopic.name, partition: 0): .beginning])
    watch = PolicyWatch(plan, beginnings: Self.beginnings(runner.configuration.dataDirectory))
    stream = StreamWatch(plan, tables)
    worker = try runner.worker()
    notifier = Notifier(plan, configuration.client, runner.logger)
  }

  /// Lets the work of this process go: its results stay.
  func close() {
    child?.process.kill()
    child = nil
    trials = [:]
    _ = try? drift.close()
  }

  /// Reads on for a moment, and does what is to be done.
  func step() throws {
    try readDrift()
    let now = WallClock.monotonic.nowMilliseconds
    guard isCaughtUp, now >= nextLookAtMilliseconds else { return }
    var registry = try control.currentRegistry()
    guard let status = runner.configuration.stream() else { return }
    let facts = try stream.facts(status, drift)
    let beginnings = watch.beginnings
    let openings = watch.decide(facts, registry)
    if watch.beginnings != beginnings { try keepBeginnings() }
    try settle(registry)
    for opening in openings { registry = try open(opening) }
    var isBusy = false
    for index in plan.policies.indices {
      let key = PolicyWatch.key(topology: plan.name, policy: plan.policies[index].name)
      guard let open = registry.openRetraining(policy: key) else { continue }
      do {
        if try advance(open, plan.policies[index], registry) { isBusy = true }
      } catch let error as HeadraceError where error.retry == .never {
        // What may pass, as trouble with the log or the network, is everybody's: then all is begun anew. The other
        // policies do not wait for this one.
        note(error.description, of: open.retraining.id)
      }
    }
    let openIDs = Set(registry.retrainings.values.filter(\.isOpen).map(\.retraining.id))
    trials = trials.filter { openIDs.contains($0.key) }
    troubles = troubles.filter { openIDs.contains($0.key) }
    if let child, registry.retrainings[child.id].map({ !$0.isOpen }) ?? true {
      // Somebody has cancelled it.
      child.process.kill()
      self.child = nil
    }
    isAtRest = !isBusy && child == nil
    // What was done may be followed by more at once.
    nextLookAtMilliseconds = isBusy ? 0 : now + Self.lookMilliseconds
  }

  /// Says which alarms are passed over, and lets monitors begin anew after a promotion.
  private func settle(_ registry: RegistryState) throws {
    for ignored in watch.ignored(registry) {
      try notifier.tell(ignored, plan.policies[ignored.policy])
      watch.noteIgnored(ignored.id)
    }
    for settlement in watch.settlements(registry) where !settled.contains(settlement) {
      try notifier.acknowledge(
        settlement.monitor, atMilliseconds: settlement.atMilliseconds,
        reason: "another version answers than the one that the reference knows")
      settled.append(settlement)
    }
  }

  private static func beginningsPath(_ dataDirectory: String) -> String { "\(dataDirectory)/retrainings/beginnings" }

  /// Two numbers; what is not known is a dash.
  private func keepBeginnings() throws(HeadraceError) {
    let text = [watch.beginnings.streamMilliseconds, watch.beginnings.wallMilliseconds]
      .map { $0.map { "\($0)" } ?? "-" }.joined(separator: " ")
    try NewFile.replace(Self.beginningsPath(runner.configuration.dataDirectory), with: Array(text.utf8))
  }

  private static func beginnings(_ dataDirectory: String) -> PolicyWatch.Beginnings {
    let parts = ((try? TextFile.readLine(beginningsPath(dataDirectory))) ?? "").split(separator: " ")
    guard parts.count == 2 else { return PolicyWatch.Beginnings() }
    return PolicyWatch.Beginnings(streamMilliseconds: Int64(parts[0]), wallMilliseconds: Int64(parts[1]))
  }

  /// Whether only new events could change anything: what there is was read before the last look, and that look found
  /// nothing to do.
  func isSettled() throws -> Bool {
    guard isAtRest, isCaughtUp, child == nil, troubles.isEmpty, try trials.values.allSatisfy({ try $0.isAtEnd() })
    else { return false }
    let partition = TopicPartition(topic: DriftTopic.name, partition: 0)
    return try drift.position(of: partition) >= drift.watermarks([partition])[partition]?.end ?? 0
  }

  private func readDrift() throws {
    let isBusy = nextLookAtMilliseconds <= WallClock.monotonic.nowMilliseconds
    let result = try drift.poll(timeoutMilliseconds: isBusy && isCaughtUp ? 1 : 100) { records in
      for index in records.indices {
        guard let source = Self.text(records[index].headers.last("ce_source")), source == "/headrace/\(plan.name)",
          let value = records[index].value,
          let event = DriftEvent(json: unsafe value.withUnsafeBytes { unsafe Array($0) })
        else { continue }
        watch.take(event)
      }
    }
    if result.records > 0 { isAtRest = false }
    // Alarms follow their window in one transaction, which two polls may cut in two.
    if !result.endsReached.isEmpty {
      isCaughtUp = true
    } else if result.records > 0 {
      isCaughtUp = false
    }
  }

  private static func text(_ bytes: RawSpan?) -> String? {
    guard let bytes else { return nil }
    return unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  private func open(_ opening: PolicyWatch.Opening) throws -> RegistryState {
    RetrainingKillPoint.pass(.beforeOpening)
    let policy = plan.policies[opening.policy]
    let outcome = try control.send(
      RegistryCommand(
        actor: "policy \(policy.name)", reason: policy.name, change: .openRetraining(opening.retraining)))
    runner.logger.notice(
      "a policy retrains",
      metadata: [
        "policy": "\(policy.name)", "retraining": "\(opening.retraining.id)", "outcome": "\(outcome.code)",
        "cause": "\(opening.retraining.cause.prefix(600))",
      ])
    RetrainingKillPoint.pass(.opened)
    return try control.currentRegistry()
  }

  /// One action of a retraining, if it is ours.
  ///
  /// - Returns: whether something was done.
  private func advance(
    _ retraining: RegisteredRetraining, _ policy: PolicyPlan, _ registry: RegistryState
  ) throws -> Bool {
    guard let use = plan.models[policy.model].use, case .alias(let alias) = use.selector else { return false }
    guard try holdLease(of: retraining) else {
      // What runs here for it is somebody else's now: two that build one dataset would remove each other's files.
      endChild(of: retraining.retraining.id)
      return false
    }
    let id = retraining.retraining.id
    let folder = try RetrainingFolder(dataDirectory: runner.configuration.dataDirectory, id: id)
    let machine = RetrainingMachine(policy, model: use.model, alias: alias)
    let facts = try facts(retraining, policy, folder, registry)
    let action = machine.next(retraining, registry, facts)
    if let child, child.id == id, action != .work(child.work) { endChild(of: id) }
    RetrainingKillPoint.pass(.before(action))
    return try perform(action, retraining, policy, folder)
  }

  private func endChild(of id: String) {
    guard let child, child.id == id else { return }
    child.process.kill()
    self.child = nil
  }

  private func note(_ trouble: String, of id: String) {
    var known = troubles[id, default: Trouble()]
    if known.text != trouble {
      runner.logger.warning(
        "a retraining does not get on", metadata: ["retraining": "\(id)", "reason": "\(trouble)"])
    }
    known.count += 1
    if !known.isHopeless {
      known.text = trouble
      known.isHopeless =
        known.count >= Self.troublesMinimum
        && WallClock.monotonic.nowMilliseconds - known.sinceMilliseconds >= Self.troubleMilliseconds
    }
    troubles[id] = known
  }

  /// Something was done, or nothing was to be done.
  private func forgetTrouble(of id: String) {
    if troubles[id]?.isHopeless == false { troubles[id] = nil }
  }

  /// Claims a retraining that nobody works on, and keeps what is ours.
  private func holdLease(of retraining: RegisteredRetraining) throws -> Bool {
    let now = WallClock.system.nowMilliseconds
    let lease = retraining.lease
    let length = runner.configuration.leaseMilliseconds
    if let lease {
      if lease.worker != worker, now <= lease.untilMilliseconds { return false }
      if lease.worker == worker, lease.untilMilliseconds - now > length / 2 { return true }
    }
    let outcome = try control.send(
      RegistryCommand(
        actor: worker,
        change: .claimRetraining(
          id: retraining.retraining.id, worker: worker, untilMilliseconds: now + length, expectedWorker: lease?.worker))
    )
    // Else somebody was faster.
    guard outcome == .applied else { return false }
    RetrainingKillPoint.pass(.leased)
    return true
  }

  private func facts(
    _ retraining: RegisteredRetraining, _ policy: PolicyPlan, _ folder: RetrainingFolder, _ registry: RegistryState
  ) throws -> RetrainingFacts {
    var facts = RetrainingFacts(
      nowMilliseconds: WallClock.system.nowMilliseconds, streamMilliseconds: watch.streamMilliseconds)
    facts.told = folder.told
    let id = retraining.retraining.id
    if let work = RetrainingAction.Work(rawValue: retraining.step.rawValue) {
      try lookAfterChild(id, work, folder)
      facts.result = folder.result(work)
      let failures = folder.failures(work)
      if facts.result == nil, failures.count >= runner.configuration.attemptsMaximum { facts.failure = failures.last }
    }
    if case .model(let model)? = facts.result,
      try tables.entry(try BlobName("models/\(model.contentHash)")) != nil
    {
      facts.storedHashes = [model.contentHash]
    }
    facts.trial = try trial(of: retraining, policy, registry)
    if let trouble = troubles[id], trouble.isHopeless { facts.failure = facts.failure ?? trouble.text }
    return facts
  }

  /// What the rollout of the present step has come to; nil of other steps.
  private func trial(
    of retraining: RegisteredRetraining, _ policy: PolicyPlan, _ registry: RegistryState
  ) throws -> RetrainingFacts.Trial? {
    let id = retraining.retraining.id
    guard let kind = Rollout.Kind(rawValue: retraining.step.rawValue), let version = retraining.version(in: registry)
    else {
      trials[id] = nil
      return nil
    }
    let watch = trials[id, default: TrialWatch()]
    trials[id] = watch
    return try watch.facts(plan, model: policy.model, version: version, kind, registry, runner.configuration)
  }

  /// Takes note of how the work of a step has ended.
  private func lookAfterChild(
    _ id: String, _ work: RetrainingAction.Work, _ folder: RetrainingFolder
  ) throws(HeadraceError) {
    guard let running = child, running.id == id, running.work == work, let ending = running.process.poll() else {
      return
    }
    child = nil
    // Neither is a failure of the work: who was asked to go is begun again; another process may be at it still.
    guard folder.result(work) == nil, !ending.wasAsked else { return }
    guard ending != .exit(RetrainWorkCommand.busyStatus) else { return Sleep.milliseconds(200) }
    let reason: String
    if ending == .exit(0) {
      // Begun again without a count it would be begun for ever.
      reason = "\(work.rawValue) left no result that can be read"
    } else {
      let last = (try? TextFile.read(folder.log, sizeBytesMax: 16 << 20))?.split(separator: "\n").last
      reason = "\(work.rawValue) failed (\(ending.text)): \(last.map { String($0) } ?? "it said nothing")"
    }
    runner.logger.warning("work of a retraining failed", metadata: ["retraining": "\(id)", "reason": "\(reason)"])
    try folder.noteFailure(reason, of: work)
  }

  private func perform(
    _ action: RetrainingAction, _ retraining: RegisteredRetraining, _ policy: PolicyPlan, _ folder: RetrainingFolder
  ) throws -> Bool {
    let id = retraining.retraining.id
    switch action {
    case .wait:
      forgetTrouble(of: id)
      return false
    case .work(let work):
      guard child == nil else { return false }
      let arguments = ["retrain", "work", id, "--step", work.rawValue, "--topology-name", plan.name]
      child = (id, work, try ChildProcess(arguments + runner.configuration.arguments, log: folder.log))
      RetrainingKillPoint.pass(.behind(action))
      return false
    case .store(let path, let hash):
      let bytes = try ModelFiles.read(path)
      guard ContentHash.sha256(bytes) == hash else {
        throw HeadraceError(.external, "MODEL_FILE_CHANGED", "the trained file has changed", place: path)
      }
      _ = try tables.create(try BlobName("models/\(hash)"), bytes)
    case .send(let change):
      let outcome = try control.send(RegistryCommand(actor: "policy \(policy.name)", reason: id, change: change))
      note(outcome, of: change, retraining)
      if case .refused(let refusal) = outcome {
        note("the log refuses the next step: \(refusal.message)", of: id)
        return false
      }
    case .tell(let message):
      notifier.tell(message, retraining, policy)
      try folder.noteTold(message.key)
    case .callOutside(let message):
      if let failure = notifier.call(message, retraining, policy) {
        try folder.noteFailure(failure, of: .train)
      } else {
        try folder.noteTold(message.key)
      }
    case .acknowledge(let monitor, let time):
      try notifier.acknowledge(monitor, atMilliseconds: time, reason: "retraining \(id)")
      try folder.noteTold("\(id)-acknowledged")
    }
    forgetTrouble(of: id)
    RetrainingKillPoint.pass(.behind(action))
    return true
  }

  private func note(
    _ outcome: RegistryOutcome, of change: RegistryCommand.Change, _ retraining: RegisteredRetraining
  ) {
    guard case .advanceRetraining(_, let from, let to, let note, _) = change else { return }
    runner.logger.notice(
      "retraining",
      metadata: [
        "retraining": "\(retraining.retraining.id)", "from": "\(from.rawValue)", "to": "\(to.rawValue)",
        "note": "\(note)", "outcome": "\(outcome.code)",
      ])
  }
}
