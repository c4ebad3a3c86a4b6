internal import Core
internal import Kafka
internal import Logging
package import Registry
internal import Synchronization
internal import Topology

// Which versions of the models score: commands of the control topic in, switches of the tasks out.

extension Engine {
  /// Writes down what tasks have committed, and takes what the registry says now.
  func followModels(_ log: ControlLog) throws(HeadraceError) {
    for (task, note) in scoringNotes.waiting {
      try log.noteScoring(
        topology: board.plan.name, task: task, position: note.position, offsets: note.offsets)
      RuntimeKillPoint.pass(.scoringWritten)
      scoringNotes.setWritten(task, note)
    }
    let now = WallClock.monotonic.nowMilliseconds
    guard let epochs, now >= state.withLock({ $0.modelRetryAtMilliseconds }) else { return }
    do throws(HeadraceError) {
      try epochs.advance(to: log.registry)
      guard let epoch = epochs.unshown else { return }
      try show(epoch, of: epochs)
      state.withLock { $0.modelTrouble = nil }
    } catch {
      // The running versions stay; it is tried again.
      let trouble = error.description
      let isNew = state.withLock { state in
        defer { state.modelTrouble = trouble }
        state.modelRetryAtMilliseconds = now + Self.modelRetryMilliseconds
        return state.modelTrouble != trouble
      }
      if isNew { logger.error("other versions of models are not taken", metadata: ["error": "\(error)"]) }
    }
  }

  private static let modelRetryMilliseconds: Int64 = 500

  /// Makes what an epoch needs, and lets servers and tasks have it.
  private func show(_ epoch: ModelEpoch, of epochs: ModelEpochs) throws(HeadraceError) {
    let preparation = TopicPreparation(plan: epochs.plan, configuration: configuration, logger: logger)
    if let count = board.partitionCount {
      try preparation.makeShadowTopics(epoch, try Admin(configuration.client), count: count)
    }
    let (observer, workers) = state.withLock { ($0.planObserver, $0.workers) }
    observer?(epochs.plan)
    epochs.show(epoch)
    for worker in workers { worker.wake() }
  }
}

// Whether everybody has followed.
extension Engine {
  /// Whether every task scores by what the registry says, and since which offset is written down: from then on it is
  /// known which version scores the next event.
  ///
  /// - Parameter registry: as somebody has read it from the control topic.
  package func hasTaken(_ registry: RegistryState) -> Bool {
    guard let epochs, epochs.usesRegistry else { return true }
    let position = registry.position(of: epochs.plan.models, of: epochs.plan.name, at: .max)
    guard epochs.newest.position == position else { return false }
    let tasks = board.tasks
    return !tasks.isEmpty && tasks.allSatisfy { scoringNotes.isWritten($0.partition, position) }
  }
}

// What the rollouts come to.
extension Engine {
  /// Reads the predictions of rollouts while this process has the first task: one reader is enough, and who takes the
  /// task over reads them again.
  static func watchRollouts(_ engine: () -> Engine?) {
    while let engine = engine(), !engine.state.withLock({ $0.isStopping }) {
      do {
        try engine.watchOnce()
      } catch {
        engine.rollouts.reset()
        engine.logger.warning("predictions of rollouts cannot be read", metadata: ["error": "\(error)"])
        Sleep.milliseconds(1_000)
      }
    }
    engine()?.rollouts.reset()
  }

  private func watchOnce() throws {
    guard let epochs, epochs.usesRegistry, board.task(0) != nil, let partitions = board.partitionCount else {
      rollouts.reset()
      return Sleep.milliseconds(200)
    }
    let watched = WatchedRollout.all(epochs.plan, epochs.registry)
    guard !watched.isEmpty else {
      rollouts.reset()
      return Sleep.milliseconds(100)
    }
    try rollouts.watch(
      watched, configuration.client, try epochs.plan.predictionTexts(schemas), partitionCount: partitions)
    for (rollout, verdict) in try rollouts.read() { try end(rollout, verdict) }
  }

  /// Writes what the gates have decided into the control topic; of several who do the first one counts.
  private func end(_ watched: WatchedRollout, _ verdict: RolloutJudge.Verdict) throws {
    let (outcome, reason): (RolloutVerdict, String)
    switch verdict {
    case .undecided: return
    case .promote(let why): (outcome, reason) = (.promoted, why)
    case .rollBack(let why): (outcome, reason) = (.rolledBack, why)
    }
    let command = RegistryCommand(
      actor: "gates", reason: reason,
      change: .endRollout(
        model: watched.model, alias: watched.alias, version: watched.rollout.version, verdict: outcome,
        expected: watched.champion))
    let answer = try ControlLog(configuration.client).send(command)
    logger.notice(
      "the gates of a rollout have decided",
      metadata: [
        "model": "\(watched.model)@\(watched.alias)", "version": "\(watched.rollout.version)",
        "verdict": "\(outcome.rawValue)", "reason": "\(reason)", "outcome": "\(answer)",
      ])
  }
}
