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
    return (0..<2).map { _ in
      let digits = String(generator.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }.joined()
  }

  package var model: String {
    switch change {
    case .addVersion(let version): version.model
    case .setAlias(let model, _, _, _), .startRollout(let model, _, _, _), .endRollout(let model, _, _, _, _): model
    }
  }
}
