internal import Core
internal import Logging
internal import Registry
internal import Runtime
internal import Storage
internal import Topology
internal import Training

// What the machine of a retraining wants done.
extension RetrainingSession {
  func perform(
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
