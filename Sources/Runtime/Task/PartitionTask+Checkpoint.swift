internal import Core
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Topology

// Checkpoints: taken on the worker with the commit up to the same records, written behind it.

extension PartitionTask {
  /// A checkpoint from when it is taken until it is known to be on the disk.
  struct PendingCheckpoint {
    var checkpoint: TakenCheckpoint
    var rows: SealedRows?
    /// S of each input.
    var inputs: [SnapshotManifest.Input]
    /// What the plan does not have may go when it is there: nothing was being built.
    var mayForget: Bool
    var startedAtMilliseconds = WallClock.monotonic.nowMilliseconds
    var isWriting = false
  }

  /// Has a checkpoint taken with the next commit. Does not wait.
  func save() {
    nextCheckpointAtMilliseconds =
      WallClock.monotonic.nowMilliseconds + context.configuration.checkpointIntervalMilliseconds
    noteMarkers()
    follow(.checkpointDue)
  }

  /// Waits until everything that is under way is decided and on the disk, or has failed.
  func waitForCommitsAndCheckpoints() {
    while pendingFailure == nil {
      if machine.isCommitInFlight, let lane {
        if let report = lane.wait(timeoutMilliseconds: 1_000) { hear(report) }
      } else if machine.isSaving, pendingCheckpoint?.isWriting == true {
        endCheckpoint(checkpointLane.wait())
      } else {
        return
      }
    }
  }

  func takeCheckpoint(_ offsets: [Int64]) {
    guard let store else { return }
    instruments.markTick()
    let dirtyBytes = store.dirtyBytes
    var record = CheckpointRecord(
      planFingerprint: context.plan.fingerprint.value,
      inputs: zip(inputs, offsets).map { $0.record(nextOffset: $1) }, views: builtViews,
      bootstraps: bootstraps.map(\.record))
    do throws(HeadraceError) {
      let rows = try sealSpool(offsets)
      record.spool = rows?.record ?? SpoolRecord()
      pendingCheckpoint = PendingCheckpoint(
        checkpoint: try store.beginCheckpoint(meta: record.encoded()), rows: rows,
        inputs: record.inputs.map { .init(topic: $0.topic, nextOffset: $0.nextOffset) }, mayForget: bootstraps.isEmpty)
      RuntimeKillPoint.pass(.checkpointTaken)
    } catch {
      noteFailedCheckpoint(error)
    }
    instruments.markCheckpoint(bytes: dirtyBytes)
  }

  /// The commit up to what was taken is decided.
  func writeCheckpoint() {
    guard let pending = pendingCheckpoint else {
      // It was not even taken.
      if !isStoreFinished { follow(.checkpointRefused) }
      return
    }
    if machine.isLeaving { RuntimeKillPoint.pass(.revokeBeforeCheckpoint) }
    pendingCheckpoint?.isWriting = true
    checkpointLane.write(pending.checkpoint, pending.rows, keptAs: snapshotOfCheckpoint(pending))
  }

  /// Tells the store and the machine what became of the checkpoint that was written.
  func endCheckpoint(_ result: Result<Void, HeadraceError>) {
    guard let pending = pendingCheckpoint, let store else { return }
    pendingCheckpoint = nil
    do throws(HeadraceError) {
      switch result {
      case .success: try store.endCheckpoint()
      case .failure(let error): try store.endCheckpoint(error)
      }
      spool?.noteCheckpoint()
      diskTrouble = nil
      lastCheckpointMilliseconds = WallClock.monotonic.nowMilliseconds - pending.startedAtMilliseconds
      lastCheckpointAtMilliseconds = context.clock.nowMilliseconds
      if pending.mayForget { dropForgottenViews() }
      follow(.checkpointEnded)
    } catch {
      noteFailedCheckpoint(error)
      if !isStoreFinished { follow(.checkpointRefused) }
    }
    instruments.markTick()
  }

  private func noteFailedCheckpoint(_ error: HeadraceError) {
    guard error.retry == .sameCall else {
      isStoreFinished = true
      pendingFailure = error
      if machine.isLeaving { follow(.failed) }
      return
    }
    // Nothing was written. The task goes on as long as its memory allows.
    spool?.noteRefused()
    diskTrouble = error.description
    logger.error("checkpoint refused", metadata: ["error": "\(error)"])
    refusedUntilMilliseconds = WallClock.monotonic.nowMilliseconds + Self.refusedPauseMilliseconds
    nextCheckpointAtMilliseconds = refusedUntilMilliseconds
  }

  private static let refusedPauseMilliseconds: Int64 = 1_000

  /// Before memory goes: what is being written is waited for, what was only taken is given up.
  func giveUpCheckpoint() {
    guard let pending = pendingCheckpoint else { return }
    pendingCheckpoint = nil
    guard pending.isWriting else {
      store?.abandonCheckpoint()
      return
    }
    do throws(HeadraceError) {
      switch checkpointLane.wait() {
      case .success: try store?.endCheckpoint()
      case .failure(let error): try store?.endCheckpoint(error)
      }
    } catch {
      if error.retry != .sameCall { isStoreFinished = true }
      logger.error("checkpoint failed", metadata: ["error": "\(error)"])
    }
  }

  /// Rows that no checkpoint holds yet cannot leave memory: with more of them than half of the budget it could break.
  var dirtyBytesMaximum: Int { min(context.configuration.dirtyBytesMaximum, memoryBudgetBytes / 2) }
}
