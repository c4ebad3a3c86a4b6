internal import Core

/// Named places at which a test can make a writer of a table die as by `kill -9`; ARCHITECTURE.md says what is then in
/// the store, and what happens next.
///
/// `HEADRACE_KILL_AT=delta.commit-after-log:3` kills the process at the third pass of that place.
package enum DeltaKillPoint: String, CaseIterable, Sendable {
  /// Data files are written; no commit names them.
  case commitBeforeLog = "delta.commit-before-log"
  /// The commit is in the log; its writer has not heard of it.
  case commitAfterLog = "delta.commit-after-log"
  /// Nothing of a checkpoint is written.
  case checkpointBefore = "delta.checkpoint-before"
  /// The checkpoint is there; `_last_checkpoint` names an older one.
  case checkpointAfterFile = "delta.checkpoint-after-file"
  /// A part of the old log is deleted.
  case cleanUpDuring = "delta.clean-up-during"
  /// Compacted files are written; no commit names them.
  case compactionBeforeCommit = "delta.compaction-before-commit"
  /// Some unneeded files are deleted.
  case vacuumDuring = "delta.vacuum-during"

  /// Dies here when the environment says so.
  @inline(__always)
  static func pass(_ point: DeltaKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: DeltaKillPoint? = KillSwitch.armed()
}
