internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Monitoring
internal import Registry
internal import Runtime
internal import Topology
internal import Training

/// The policy of the topology, as every process runs it, but looked at between slices alone.
final class LoopRetraining {
  private let plan: Plan
  private let policy: PolicyPlan
  private let barrier: LoopBarrier
  private let session: RetrainingSession
  private let stop: StopRequest
  /// Of `headrace.drift`, when it was read last.
  private var driftEnd: Int64 = 0
  private var isOpen = false
  private var firstID: String?

  private static let patienceMilliseconds: Int64 = 600_000

  init(
    _ process: TopologyProcess, _ policy: PolicyPlan, _ setting: LoopRun.Setting, _ barrier: LoopBarrier
  ) throws {
    plan = process.plan
    self.policy = policy
    self.barrier = barrier
    stop = setting.stop
    let configuration = RetrainingConfiguration(
      setting.runtime, process.engine, NoWriterSchemas(),
      arguments: ["--bootstrap", setting.client.bootstrapServers, "--data", setting.folder])
    let runner = RetrainingRunner(configuration, logger: setting.logger)
    session = try RetrainingSession(plan, runner, setting.store)
  }

  func close() { session.close() }

  private var key: String { PolicyWatch.key(topology: plan.name, policy: policy.name) }

  /// The first model, of all that came before a time: asked for as by hand, and then the policy's own way.
  func trainFirst(at time: Int64) throws {
    let id = "\(policy.name)-first"
    var cause = RetrainingCause(
      kind: .byHand, trigger: "by hand", streamMilliseconds: time,
      wallMilliseconds: WallClock.system.nowMilliseconds)
    cause.reason = "the first model"
    let retraining = Retraining(
      id: id, policy: key, model: plan.models[policy.model].use?.model ?? "", cause: cause.json, openedBy: "demo",
      atMilliseconds: time)
    let outcome = try session.control.send(
      RegistryCommand(actor: "demo", reason: cause.reason, change: .openRetraining(retraining)))
    if case .refused(let refusal) = outcome { throw refusal.error(place: id) }
    firstID = id
    isOpen = true
    try settle()
    guard let opened = try session.control.currentRegistry().retrainings[id], opened.step == .done else {
      let last = try session.control.currentRegistry().retrainings[id]?.steps.last
      throw HeadraceError(
        .internal, "NO_FIRST_MODEL",
        "the first training ended as \(last?.step.rawValue ?? "nothing"): \(last?.note ?? "")", place: id,
        remedy: "--log-level notice says more")
    }
  }

  /// Takes retrainings as far as they go without new events.
  func settle() throws {
    let end = try barrier.end(of: TopicPartition(topic: DriftTopic.name, partition: 0))
    guard end > driftEnd || isOpen else { return }
    driftEnd = end
    try barrier.waitForArchive()
    let deadline = WallClock.monotonic.nowMilliseconds + Self.patienceMilliseconds
    repeat {
      try session.step()
      if let status = stop.status { throw Ended(status: status) }
      guard WallClock.monotonic.nowMilliseconds < deadline else {
        throw HeadraceError(
          .internal, "LOOP_STUCK", "a retraining does not come to an end", place: key,
          remedy: "--log-level notice says more; DIR/retrainings has the logs of its work")
      }
    } while try !session.isSettled()
    isOpen = try session.control.currentRegistry().openRetraining(policy: key) != nil
  }

  /// Trainings behind the first one.
  func count(_ registry: RegistryState) -> Int {
    registry.retrainings(policy: key).count { $0.retraining.id != firstID && registry.runs[$0.retraining.id] != nil }
  }

  func moments(_ registry: RegistryState) -> [LoopResult.Moment] {
    registry.retrainings(policy: key).map { found in
      let last = found.steps.last.map { "\($0.step.rawValue): \($0.note)" } ?? found.step.rawValue
      let gate = found.steps.first { $0.step == .register }.map { "; \($0.note)" } ?? ""
      return LoopResult.Moment(
        timeMilliseconds: found.retraining.atMilliseconds,
        text: "retraining (\(found.cause?.trigger ?? "")): \(last)\(gate)")
    }
  }
}
