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
  let plan: Plan
  let runner: RetrainingRunner
  let tables: any BlobStore
  let control: ControlLog
  private let drift: Consumer
  var watch: PolicyWatch
  private var stream: StreamWatch
  let worker: String
  /// Of retrainings that are being tried.
  var trials: [String: TrialWatch] = [:]
  let notifier: Notifier
  /// The process that works for a retraining: one at a time, a laptop has few processors.
  var child: (id: String, work: RetrainingAction.Work, process: ChildProcess)?
  /// What stands in the way of a retraining's next action, again and again.
  var troubles: [String: Trouble] = [:]
  /// Monitors that were told to begin anew, and where.
  private var settled: [PolicyWatch.Settlement] = []
  private var isCaughtUp = false
  /// The last look found nothing to do.
  private var isAtRest = false
  private var nextLookAtMilliseconds: Int64 = 0

  private static let lookMilliseconds: Int64 = 200

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
}
