internal import Core

/// Named places at which a test can make a training die as by `kill -9`; ARCHITECTURE.md says what its folder has then.
///
/// `HEADRACE_KILL_AT=training.checkpoint-after:2 headrace train …` dies there.
package enum TrainingKillPoint: String, CaseIterable, Sendable {
  /// Some rounds are done that no checkpoint has.
  case checkpointBefore = "training.checkpoint-before"
  /// The checkpoint is durable.
  case checkpointAfter = "training.checkpoint-after"
  /// The model is computed and not written.
  case modelBefore = "training.model-before"
  /// The model's file is there; nothing says yet that the training is done.
  case modelAfter = "training.model-after"
  /// The result is there; nobody has heard of it.
  case resultAfter = "training.result-after"

  /// Dies here when the environment says so.
  static func pass(_ point: TrainingKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: TrainingKillPoint? = KillSwitch.armed()
}
