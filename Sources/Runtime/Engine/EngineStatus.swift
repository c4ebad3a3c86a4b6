package import Topology

/// What a process does at one moment: for `/api/tasks`, `/metrics`, `doctor` and the live view.
package struct EngineStatus: Sendable {
  package var planFingerprint: Fingerprint
  /// Tasks of this process, by number.
  package var tasks: [TaskStatus]
  /// Of the topology's topics; nil until the cluster was asked.
  package var partitionCount: Int32?
  /// Why nothing goes on any more; nil while the workers run.
  package var failure: String?
  /// Outcomes of each source over all tasks of this process, in the plan's order.
  package var sources: [SourceStatus]
  /// Blocks of all stores' files in memory.
  package var blockCacheBytes = 0
  /// Tables that this process writes rows to, by name.
  package var tables: [TableStatus] = []
}

/// How one table is doing: what waits for it in this process, and why.
package struct TableStatus: Sendable, Equatable {
  /// Below the tables' root: `features/by_user`.
  package var name: String
  /// Rows that a checkpoint holds and the table does not.
  package var waitingRows: Int64 = 0
  /// For how long the oldest of them waits; 0 when none does.
  package var oldestWaitingMilliseconds: Int64 = 0
  /// Since this process started.
  package var publishedRows: Int64 = 0
  /// Tries that failed, since this process started.
  package var failures: Int64 = 0
  /// Why the last try failed; nil when rows went there since.
  package var lastFailure: String?
}

/// One source in this process.
package struct SourceStatus: Sendable, Equatable {
  package var name: String
  package var counts: OutcomeCounts
}

/// The work for one partition number.
package struct TaskStatus: Sendable, Equatable {
  package enum Phase: String, Sendable {
    /// State is being opened, older lives are being fenced.
    case starting
    /// Records between S and C are being applied again; reads wait.
    case restoring
    case running
    /// A person has to decide: `whyNotMoving` says what.
    case stopped
  }

  package var partition: Int32
  package var phase: Phase
  package var inputs: [InputStatus]
  package var dirtyBytes = 0
  package var memoryBytes = 0
  /// What was saved and is in the log of the store, but in no file yet.
  package var memoryTableBytes = 0
  package var lastCheckpointAtMilliseconds: Int64?
  package var lastCheckpointMilliseconds: Int64?
  package var lastCommitMilliseconds: Int64?
  /// How much older the newest snapshot in the store is than the newest checkpoint; nil where there is none of this
  /// life, or none are taken.
  package var snapshotLagMilliseconds: Int64?
  /// Why the last snapshot did not come to be; nil when it did.
  package var snapshotFailure: String?
  package var restarts = 0
  /// One sentence, and what to do about it; nil while the task moves or has nothing to do.
  package var whyNotMoving: String?
  /// Views that are being built from the log while the others go on, and how far they are.
  package var bootstraps: [BootstrapStatus] = []
  /// Of the plan that the task runs.
  package var planFingerprint: Fingerprint?

  package init(partition: Int32, phase: Phase, inputs: [InputStatus]) {
    self.partition = partition
    self.phase = phase
    self.inputs = inputs
  }
}

/// One input partition of a task.
package struct InputStatus: Sendable, Equatable {
  package var topic: String
  /// Everything below it is in the state, and visible to reads.
  package var appliedOffset: Int64
  /// S.
  package var savedOffset: Int64?
  /// C.
  package var committedOffset: Int64?
  /// One past the last record of the log, as far as this process has heard.
  package var endOffset: Int64?
  /// Epoch milliseconds; nil until a record was valid.
  package var watermarkMilliseconds: Int64?
  /// Outcomes by source; a repartition topic has none.
  package var sources: [SourceStatus]

  /// Records that are not applied yet; transaction markers count.
  package var lagRecords: Int64? { endOffset.map { max($0 &- appliedOffset, 0) } }

  /// How far the watermark is behind the wall clock while there is something left to read; 0 at the end of the log.
  package func lagEventTimeMilliseconds(nowMilliseconds: Int64) -> Int64? {
    guard let lagRecords else { return nil }
    guard lagRecords > 0 else { return 0 }
    return watermarkMilliseconds.map { max(nowMilliseconds &- $0, 0) }
  }
}

/// One view that is being built from the log.
package struct BootstrapStatus: Sendable, Equatable {
  package var view: String
  package var appliedOffset: Int64
  package var targetOffset: Int64
}
