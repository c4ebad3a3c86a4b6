internal import Core

/// Named places at which a test can make a worker die as by `kill -9`: one between any two steps of the protocol whose
/// order matters (`Tests/Model/eos_model.py`).
///
/// `HEADRACE_KILL_AT=runtime.commit-heard:3` kills the process at the third pass of that place.
package enum RuntimeKillPoint: String, CaseIterable, Sendable {
  /// Records are applied in memory; nothing of the transaction is sent.
  case commitBeforeSend = "runtime.commit-before-send"
  /// Outputs are in the log inside of the open transaction; the offsets are not part of it yet.
  case commitAfterOutputs = "runtime.commit-after-outputs"
  /// Outputs and offsets are part of the transaction; nothing is decided.
  case commitBeforeEnd = "runtime.commit-before-end"
  /// Kafka has decided; this process has not heard of it.
  case commitAfterEnd = "runtime.commit-after-end"
  /// C is known; the worker has not acted upon it.
  case commitHeard = "runtime.commit-heard"
  /// The state was taken where a commit, which is not decided, takes its offsets.
  case checkpointTaken = "runtime.checkpoint-taken"
  /// That commit is decided; nothing of the checkpoint is written, and the task applies on.
  case checkpointBefore = "runtime.checkpoint-before"
  /// Rows for tables are durable in a segment of the spool; no checkpoint names it yet.
  case spoolSealed = "runtime.spool-sealed"
  /// The checkpoint is on the disk; the task does not know.
  case checkpointAfter = "runtime.checkpoint-after"
  /// The checkpoint's files have second names; nothing of the snapshot is in the store.
  case snapshotTaken = "runtime.snapshot-taken"
  /// The files of a snapshot are in the store; nothing names them.
  case snapshotUploaded = "runtime.snapshot-uploaded"
  /// The snapshot is whole; older ones are not removed yet.
  case snapshotNamed = "runtime.snapshot-named"
  /// A snapshot was brought here, beside the place of the state.
  case restoreDownloaded = "runtime.restore-downloaded"
  /// Its segments are in place, its state is not.
  case restoreSpooled = "runtime.restore-spooled"
  /// A restart has opened the state at S; the older life of the task is not fenced yet.
  case restartOpened = "runtime.restart-opened"
  /// The older life is fenced; C is not read back yet.
  case restartFenced = "runtime.restart-fenced"
  /// Records between S and C are being applied again.
  case restartReplaying = "runtime.restart-replaying"
  /// C is reached again; nothing is emitted yet.
  case restartReplayed = "runtime.restart-replayed"
  /// Partitions are being given back; their last records are not committed.
  case revokeBeforeCommit = "runtime.revoke-before-commit"
  /// Partitions are being given back; committed, not saved.
  case revokeBeforeCheckpoint = "runtime.revoke-before-checkpoint"
  /// Partitions are being given back; the state is saved and closed.
  case revokeAfterClose = "runtime.revoke-after-close"
  /// Events of the archive are in the memory of the state, in the place of records that retention took.
  case archiveApplied = "runtime.archive-applied"
  /// The archive is read, and the log goes on; no checkpoint says so yet.
  case archiveLeft = "runtime.archive-left"
  /// A new view has caught up; the others do not have it in their midst yet.
  case spliceBefore = "runtime.splice-before"
  /// A new view reads with the others; no checkpoint says so yet.
  case spliceAfter = "runtime.splice-after"
  /// Another plan is decided upon; the task still runs the old one.
  case switchBefore = "runtime.switch-before"
  /// The task runs the new plan; no checkpoint says so yet.
  case switchAfter = "runtime.switch-after"
  /// Other versions of the models are decided upon; the transaction that says from where on is not sent.
  case scoringBefore = "runtime.scoring-before"
  /// Kafka has decided from where on other versions score; the control topic does not say so yet.
  case scoringCommitted = "runtime.scoring-committed"
  /// The control topic says from where on other versions score; the task may go over to the next ones.
  case scoringWritten = "runtime.scoring-written"

  /// The registry of a folder is being published: files of models are there, the command that names them is not.
  case registryPublishing = "runtime.registry-publishing"

  /// Dies here when the environment says so.
  @inline(__always)
  static func pass(_ point: RuntimeKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: RuntimeKillPoint? = KillSwitch.armed()
}
