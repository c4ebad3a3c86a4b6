internal import Core
internal import Kafka
internal import Logging
internal import Registry
internal import Synchronization
internal import Topology

// Which plan runs: the control topic decides, for all processes of the topology.

extension Engine {
  /// Applies this process's plan if none was ever applied, and refuses to run beside another one.
  ///
  /// - Returns: what the registry says.
  func agreeOnPlan() throws -> RegistryState {
    let plan = board.plan
    let control = try ControlLog(configuration.client, replicationFactor: configuration.replicationFactor)
    guard var applied = try control.current(topology: plan.name) else {
      let applied = try control.apply(plan, expectedVersion: 0)
      state.withLock { $0.planVersion = applied.version }
      return control.registry
    }
    if applied.fingerprint != plan.fingerprint {
      guard configuration.appliesPlan else {
        throw HeadraceError(
          .user, "PLAN_DIFFERS",
          "plan \(applied.fingerprint) (version \(applied.version)) of the topology runs, and \(plan.document.file) is "
            + "plan \(plan.fingerprint)", place: plan.name,
          remedy:
            "look at the difference with `headrace plan`; `headrace apply`, or --apply, puts the new plan in force")
      }
      try refuseUnbuildable(applied)
      applied = try control.apply(plan, expectedVersion: applied.version)
    }
    state.withLock { $0.planVersion = applied.version }
    return control.registry
  }

  /// What `headrace apply` refuses for the sake of the state is refused here too. Services are another matter: whoever
  /// replaces a plan by force has decided about them.
  private func refuseUnbuildable(_ applied: AppliedPlan) throws(HeadraceError) {
    guard case .success(let running) = TopologyLoader.load(applied.document) else { return }
    let services = Set(running.services.map(\.name))
    let diff = PlanDiff(old: running, new: board.plan, retired: services)
    guard let first = diff.changes.first(where: { $0.verdict == .refused }) else { return }
    throw HeadraceError(
      .user, "PLAN_REFUSED", "\(first.subject): \(first.reason)", place: board.plan.document.file,
      remedy: first.remedy ?? "look at the difference with `headrace plan`")
  }

  /// Runs another plan from here on: every task commits, saves and goes on with the new plan at the offset where it
  /// left off; views that are new are built from the log beside the others.
  ///
  /// - Throws: when the new plan's topics are not there.
  func switchPlan(to plan: Plan, _ registry: RegistryState) throws {
    let context = try prepare(plan, registry)
    logger.info("another plan runs from here on", metadata: ["plan": "\(plan.fingerprint)"])
    state.withLock { $0.planObserver }?(plan)
    board.set(plan: plan)
    for worker in state.withLock({ $0.workers }) { worker.replace(context) }
  }

  /// Follows the control topic until the engine stops.
  static func followControl(_ engine: () -> Engine?) {
    var control: ControlLog?
    while let engine = engine(), !engine.state.withLock({ $0.isStopping }) {
      do {
        let log = try control ?? ControlLog(engine.configuration.client, keepsCommands: true)
        control = log
        try engine.follow(log)
      } catch {
        control = nil
        engine.logger.warning("control topic cannot be followed", metadata: ["error": "\(error)"])
        Sleep.milliseconds(1_000)
      }
    }
  }

  private static let controlMilliseconds: Int32 = 50

  /// A reader that begins anew is behind what was read before, for a moment.
  static func newer(_ one: RegistryState, _ other: RegistryState) -> RegistryState {
    one.offset > other.offset ? one : other
  }

  private func follow(_ log: ControlLog) throws {
    let (version, workers) = state.withLock { ($0.planVersion, $0.workers) }
    for worker in workers {
      for (task, offsets) in worker.takeLeft() where !offsets.isEmpty {
        try log.noteSwitch(topology: board.plan.name, version: version, task: task, offsets: offsets)
      }
    }
    let applied = try log.next(topology: board.plan.name, after: version, timeoutMilliseconds: Self.controlMilliseconds)
    followRegistry(log)
    try followModels(log)
    tellOverruns()
    guard let applied else { return }
    if applied.fingerprint != board.plan.fingerprint {
      switch TopologyLoader.load(applied.document) {
      // What it needs may not be there yet: it is tried again.
      case .success(let plan):
        try switchPlan(to: plan, epochs.map { Self.newer($0.registry, log.registry) } ?? log.registry)
      case .failure(let errors):
        logger.error("the applied plan cannot be read here", metadata: ["errors": "\(errors)"])
      }
    }
    state.withLock { $0.planVersion = applied.version }
  }
}
