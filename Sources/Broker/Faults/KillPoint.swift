internal import Core

/// Named places at which a test can make the broker die as by `kill -9`.
///
/// `HEADRACE_KILL_AT=name:3` kills the process at the third pass of that point; without it a pass is one load and one
/// compare. `headrace broker --list-kill-points` prints the names, so that a test enumerates them all.
package enum KillPoint: String, CaseIterable, Sendable {
  /// A produced batch is checked; nothing of it is written.
  case produceBeforeAppend = "produce.before-append"
  /// Half of a batch's bytes are in the segment: a torn write.
  case logTornAppend = "log.torn-append"
  /// The batch is in the segment; neither index nor producer state has seen it.
  case logAfterAppend = "log.after-append"
  /// The batch is appended and indexed; the producer has no answer yet.
  case produceBeforeResponse = "produce.before-response"
  /// A new segment file exists and is empty; the old one is not yet sealed.
  case logDuringRoll = "log.during-roll"
  /// The producer snapshot is written under its temporary name.
  case logDuringSnapshot = "log.during-snapshot"
  /// The compacted segment is written under its temporary name; the originals still count.
  case compactionBeforeSwap = "compaction.before-swap"
  /// The compacted segment took the place of the first original; the others are not yet deleted.
  case compactionDuringSwap = "compaction.during-swap"
  /// Retention advanced the log's start; the files are not yet deleted.
  case retentionBeforeDelete = "retention.before-delete"
  /// Half of a journal record's bytes are in the file: a torn write.
  case journalTornAppend = "journal.torn-append"
  /// A journal record is in the file; memory has not applied it.
  case journalAfterAppend = "journal.after-append"
  /// The journal's snapshot is written under its temporary name.
  case journalDuringSnapshot = "journal.during-snapshot"
  /// Prepare-commit or prepare-abort is durable; no marker is written.
  case transactionAfterPrepare = "transaction.after-prepare"
  /// A marker is written in one partition; others are still missing.
  case transactionBetweenMarkers = "transaction.between-markers"
  /// All markers are written; completion is not yet journaled.
  case transactionBeforeComplete = "transaction.before-complete"
  /// Completion is journaled; the producer has no answer yet.
  case transactionBeforeResponse = "transaction.before-response"
  /// A group's offsets are journaled; the member has no answer yet.
  case offsetCommitBeforeResponse = "offset-commit.before-response"
  /// A topic is journaled; its folders do not exist yet.
  case topicBeforeFolders = "topic.before-folders"
  /// A topic's deletion is journaled; its folders still exist.
  case topicBeforeDelete = "topic.before-delete"
  /// The listener is bound; recovery is done; no request was served yet.
  case startBeforeServing = "start.before-serving"

  /// Dies here when the environment says so.
  @inline(__always)
  package static func pass(_ point: KillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  /// Whether the environment names this point and its turn has come; for torn writes, which must do half of their work
  /// first.
  package static func isDue(_ point: KillPoint) -> Bool { armed == point && KillSwitch.advance() }

  package static func die() -> Never { KillSwitch.die() }

  private static let armed: KillPoint? = KillSwitch.armed()
}
