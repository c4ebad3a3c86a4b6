internal import OfflineStore
package import Runtime

/// What a server tells of the work behind it: one reading of all gauges and counters.
package struct EngineReport: Sendable {
  package var tasks: [Task]
  package var sources: [Source]
  /// Milliseconds since 1970 when the engine began.
  package var startedMilliseconds: Int64
  /// Bytes of rows in memory.
  package var stateBytes: Int64
  /// Bytes in the memory tables of the stores: saved, in no file yet.
  package var memoryTableBytes: Int64 = 0
  /// Bytes of the stores' files that are kept in memory.
  package var blockCacheBytes: Int64 = 0
  /// Bytes of rows that no checkpoint holds yet.
  package var dirtyBytes: Int64
  /// Why nothing goes on any more; nil while the workers run.
  package var failure: String?
  /// Where rows go besides: event archives and histories of features.
  package var tables: [Table]
  /// The cluster has not been asked yet which partitions there are.
  package var isStarting = false
  /// How served values compared; nil when they are not sampled.
  package var parity: ParityStatus?
  /// Which versions of the models score, and what rollouts have come to.
  package var models = Models()
  /// Models behind endpoints.
  package var remoteModels: [RemoteModelStatus] = []
  /// The last figures of the monitors that this process runs.
  package var monitors: [MonitorFigure] = []
  /// What is told to other systems.
  package var outside = Outside()

  package init(
    tasks: [Task] = [], sources: [Source] = [], startedMilliseconds: Int64 = 0, stateBytes: Int64 = 0,
    dirtyBytes: Int64 = 0, tables: [Table] = []
  ) {
    self.tasks = tasks
    self.sources = sources
    self.startedMilliseconds = startedMilliseconds
    self.stateBytes = stateBytes
    self.dirtyBytes = dirtyBytes
    self.tables = tables
  }

  /// Lineage events, and the registry's mirror in MLflow; nil where there is none.
  package struct Outside: Sendable {
    package struct Lineage: Sendable {
      package var sent: Int64
      package var dropped: Int64
      package var failed: Int64
      package var waiting: Int

      package init(sent: Int64, dropped: Int64, failed: Int64, waiting: Int) {
        self.sent = sent
        self.dropped = dropped
        self.failed = failed
        self.waiting = waiting
      }
    }

    package struct MLflow: Sendable {
      /// nil: the server has not answered yet.
      package var offset: Int64?
      package var refused: Int64

      package init(offset: Int64?, refused: Int64) {
        self.offset = offset
        self.refused = refused
      }
    }

    package var lineage: Lineage?
    package var mlflow: MLflow?

    package init() {}
  }

  package struct Models: Sendable {
    /// Of the newest command in the control topic that concerns them; -1 before the first.
    package var position: Int64 = -1
    /// Why the newest versions are not taken, as a sentence; nil while they are.
    package var trouble: String?
    package var models: [ModelStatus] = []
    /// Under way; empty in a process without the first task.
    package var rollouts: [RolloutReport] = []

    package init(
      position: Int64 = -1, trouble: String? = nil, models: [ModelStatus] = [], rollouts: [RolloutReport] = []
    ) {
      self.position = position
      self.trouble = trouble
      self.models = models
      self.rollouts = rollouts
    }
  }

  /// The work for one partition number.
  package struct Task: Sendable {
    package enum State: String, Sendable, CaseIterable {
      case starting, restoring, running, stopped
    }

    package var partition: Int32
    package var state: State
    /// Whether its rows may be read: it has reached what it had committed.
    package var isReadable: Bool
    package var inputs: [Input]
    package var watermarkMilliseconds: Int64?
    /// How far event time is behind the newest record of the log; nil when nothing is known of the log's end.
    package var lagMilliseconds: Int64?
    package var checkpointAgeMilliseconds: Int64?
    package var checkpointBytes: Int64
    /// Why nothing moves although it should, as a sentence; nil while all is well or there is nothing to do.
    package var whyNotMoving: String?
    /// How much older the newest snapshot is than the newest checkpoint.
    package var snapshotLagMilliseconds: Int64?
    package var snapshotFailure: String?
    /// Of the plan that it runs.
    package var planFingerprint = ""
    /// Views that are being built from the log while the others go on.
    package var builds: [Build] = []

    package init(
      partition: Int32, state: State, isReadable: Bool, inputs: [Input] = [], watermarkMilliseconds: Int64? = nil,
      lagMilliseconds: Int64? = nil, checkpointAgeMilliseconds: Int64? = nil, checkpointBytes: Int64 = 0,
      whyNotMoving: String? = nil
    ) {
      self.partition = partition
      self.state = state
      self.isReadable = isReadable
      self.inputs = inputs
      self.watermarkMilliseconds = watermarkMilliseconds
      self.lagMilliseconds = lagMilliseconds
      self.checkpointAgeMilliseconds = checkpointAgeMilliseconds
      self.checkpointBytes = checkpointBytes
      self.whyNotMoving = whyNotMoving
    }
  }

  /// One table and what waits for it in this process.
  package struct Table: Sendable {
    package var name: String
    package var waitingRows: Int64
    package var oldestWaitingMilliseconds: Int64
    package var publishedRows: Int64
    package var failures: Int64
    /// Why the last try to write failed, as a sentence; nil when rows went there since.
    package var lastFailure: String?

    package init(
      name: String, waitingRows: Int64 = 0, oldestWaitingMilliseconds: Int64 = 0, publishedRows: Int64 = 0,
      failures: Int64 = 0, lastFailure: String? = nil
    ) {
      self.name = name
      self.waitingRows = waitingRows
      self.oldestWaitingMilliseconds = oldestWaitingMilliseconds
      self.publishedRows = publishedRows
      self.failures = failures
      self.lastFailure = lastFailure
    }
  }

  /// How far a view is that is being built.
  package struct Build: Sendable {
    package var view: String
    package var position: Int64
    /// Where it joins the others.
    package var target: Int64

    package init(view: String, position: Int64, target: Int64) {
      self.view = view
      self.position = position
      self.target = target
    }
  }

  /// One topic partition that a task reads.
  package struct Input: Sendable {
    package var topic: String
    package var partition: Int32
    /// The next record to apply.
    package var position: Int64
    /// Offsets in the state (`S`).
    package var stateOffset: Int64?
    /// Offsets committed in Kafka together with the outputs (`C`).
    package var committedOffset: Int64?
    /// The end of the log as the broker last told; nil when it has not.
    package var endOffset: Int64?

    package init(
      topic: String, partition: Int32, position: Int64, stateOffset: Int64?, committedOffset: Int64?, endOffset: Int64?
    ) {
      self.topic = topic
      self.partition = partition
      self.position = position
      self.stateOffset = stateOffset
      self.committedOffset = committedOffset
      self.endOffset = endOffset
    }

    /// Records that are not applied yet.
    package var lag: Int64? { endOffset.map { max($0 &- position, 0) } }
  }

  /// What became of a source's records, since the beginning of its log: restarts do not set it back.
  ///
  /// `read = applied + repaired + filtered + deduplicated + late + deadLettered`, always.
  package struct Source: Sendable {
    package var name: String
    package var topic: String
    package var read: Int64
    package var applied: Int64
    package var repaired: Int64
    package var filtered: Int64
    package var deduplicated: Int64
    package var late: Int64
    package var deadLettered: Int64
    /// Records whose key is not where the partitioner puts it; counted beside the above.
    package var misplaced: Int64
    /// Rows of views that got nothing of a record, because a part of their entity's key is null, or far too large.
    package var withoutEntity: Int64

    package init(
      name: String, topic: String, read: Int64 = 0, applied: Int64 = 0, repaired: Int64 = 0, filtered: Int64 = 0,
      deduplicated: Int64 = 0, late: Int64 = 0, deadLettered: Int64 = 0, misplaced: Int64 = 0,
      withoutEntity: Int64 = 0
    ) {
      self.name = name
      self.topic = topic
      self.read = read
      self.applied = applied
      self.repaired = repaired
      self.filtered = filtered
      self.deduplicated = deduplicated
      self.late = late
      self.deadLettered = deadLettered
      self.misplaced = misplaced
      self.withoutEntity = withoutEntity
    }
  }
}

extension EngineReport {
  /// Whether rows of every task may be read.
  package var isReadable: Bool { !isStarting && failure == nil && tasks.allSatisfy(\.isReadable) }
}

extension EngineReport {
  /// One figure of a monitor: the last score of a test, the last figure of a model's quality, a count.
  package struct MonitorFigure: Sendable {
    package enum Kind: Sendable { case score, quality, alarms, open, rows, late }

    package var kind: Kind
    package var monitor: String
    package var model: String
    /// A feature; of figures of quality the segment, empty for all rows.
    package var part: String
    /// A test, a metric, the cause of alarms, or how severe those are that are open.
    package var figure: String
    package var value: Double

    package init(
      kind: Kind, monitor: String, model: String = "", part: String = "", figure: String = "", value: Double
    ) {
      self.kind = kind
      self.monitor = monitor
      self.model = model
      self.part = part
      self.figure = figure
      self.value = value
    }
  }
}

/// Tells how the work is going, from any thread, without waiting.
package protocol StatusSource: Sendable {
  func report() -> EngineReport

  /// What the process used; nil when nobody counts.
  func cost() -> CostReading?

  /// What monitors have open, as JSON; nil where none can run.
  func drift() -> [UInt8]?

  /// What each model's drift, accuracy and freshness are, and may be.
  func usefulness() -> [ModelUsefulness]
}

extension StatusSource {
  package func cost() -> CostReading? { nil }
  package func drift() -> [UInt8]? { nil }
  package func usefulness() -> [ModelUsefulness] { [] }
}
