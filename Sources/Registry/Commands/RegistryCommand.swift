internal import Core

/// Something that somebody wants changed in the registry: the only thing that changes it.
///
/// A command carries what it expects to find; of two that expect the same the first in the log wins, and the other one
/// is refused by every reader alike. So a command may be sent twice without harm.
package struct RegistryCommand: Sendable, Hashable {
  package enum Change: Sendable, Hashable {
    /// Its number must be the next one of the model; number 1 makes the model.
    case addVersion(ModelVersion)
    /// Lets an alias stand for a version; nil takes the alias away.
    ///
    /// `expected` is the version that it stands for now; nil when there is no such alias.
    case setAlias(model: String, alias: String, version: Int?, expected: Int?)
    /// Begins a rollout beside the version that the alias stands for, which is `expected`. One of the same version is
    /// replaced: so a canary goes from step to step.
    case startRollout(model: String, alias: String, rollout: Rollout, expected: Int)
    /// Ends the rollout of `version`; `.promoted` gives it the alias in the same step.
    case endRollout(model: String, alias: String, version: Int, verdict: RolloutVerdict, expected: Int)
    case startRun(TrainingRun)
    /// Once for each run.
    case finishRun(id: String, result: RunResult)
    /// One of the same version and alias at a time.
    case requestApproval(Approval)
    /// By anybody but the one who asked; `.expired` by whoever notices that the time is over, and not before.
    case decideApproval(id: String, verdict: ApprovalVerdict)
    /// One of the same policy at a time; it begins with the step `dataset`.
    case openRetraining(Retraining)
    /// From a step to a later one, or to an end. `evidence` is one JSON value, or empty.
    case advanceRetraining(id: String, from: RetrainingStep, to: RetrainingStep, note: String, evidence: String)
    /// Takes or prolongs the lease of a retraining. It belongs to `expectedWorker` now, nil: to nobody; another one
    /// gets it when it has ended by the time of the record.
    case claimRetraining(id: String, worker: String, untilMilliseconds: Int64, expectedWorker: String?)
    /// Lets a model of a topology score a sample, or all events again. `expected` is the place in the log of the
    /// newest command of this kind for the model; nil when there is none.
    case setSampling(Sampling, expected: Int64?)
  }

  /// Unique; whoever sent the command finds out by it whether it was followed.
  package var id: String
  package var actor: String
  package var reason: String
  package var change: Change

  package init(id: String = RegistryCommand.newID(), actor: String, reason: String = "", change: Change) {
    self.id = id
    self.actor = actor
    self.reason = reason
    self.change = change
  }

  /// 128 random bits in hexadecimal.
  package static func newID() -> String {
    var generator = SystemRandomNumberGenerator()
    return (generator.next() as UInt64).hexadecimal + (generator.next() as UInt64).hexadecimal
  }

  /// What it changes.
  package var subject: RegistrySubject {
    switch change {
    case .addVersion(let version): .model(version.model)
    case .setAlias(let model, _, _, _), .startRollout(let model, _, _, _), .endRollout(let model, _, _, _, _):
      .model(model)
    case .startRun(let run): .run(run.id)
    case .finishRun(let id, _): .run(id)
    case .requestApproval(let approval): .approval(approval.id)
    case .decideApproval(let id, _): .approval(id)
    case .openRetraining(let retraining): .retraining(retraining.id)
    case .advanceRetraining(let id, _, _, _, _), .claimRetraining(let id, _, _, _): .retraining(id)
    case .setSampling(let sampling, _): .sampling(sampling.key)
    }
  }
}

/// What a command changes, by its name or id.
package enum RegistrySubject: Sendable, Hashable {
  case model(String)
  case run(String)
  case approval(String)
  case retraining(String)
  /// A model of a topology.
  case sampling(String)

  /// The key of the command's record.
  package var key: String {
    switch self {
    case .model(let name), .run(let name), .approval(let name), .retraining(let name), .sampling(let name): name
    }
  }
}
