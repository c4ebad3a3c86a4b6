internal import Core
internal import Logging
internal import Registry
internal import Storage
internal import Topology
internal import Training

// What the machine of a retraining goes by.
extension RetrainingSession {
  func facts(
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
}
