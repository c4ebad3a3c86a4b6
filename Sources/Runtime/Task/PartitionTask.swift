internal import Contracts
internal import Core
internal import Glibc
internal import Kafka
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Topology

/// The work for one partition number: its inputs, its state and its transactions.
///
/// Lives on its worker's thread. `TaskProtocol` says what happens when; this does it.
final class PartitionTask {
  let number: Int32
  var context: TaskContext
  let consumer: Consumer
  var outputs: TaskOutputs
  let lane: CommitLane?
  let checkpointLane: CheckpointLane
  var pendingCheckpoint: PendingCheckpoint?
  /// nil while the plan has no models.
  var scoring: ScoringLane?
  let memoryBudgetBytes: Int
  let instruments: Instruments
  /// Spans of batches that the next commit commits, and those of the commit that is on its way.
  var tracedBatches = BatchLinks()
  var tracedCommit: BatchTracer.Commit?
  var machine: TaskProtocol
  /// What came while the machine's actions were being done.
  private var events: [TaskProtocol.Event] = []
  private var isFollowing = false
  var store: TaskStore?
  var inputs: [TaskInput] = []
  var bootstraps: [ViewBootstrap] = []
  /// The ends of the inputs' logs when the state was opened.
  var logs: [TopicPartition: Watermarks] = [:]
  /// Rows for tables; nil when there are none.
  var spool: Spool?
  /// Of the plan's views, in the store.
  var namespaces: Set<UInt32> = []
  /// Under which the store keeps the ids of the sources, and of the views that are being built.
  var dedupeNames: Set<String> = []
  var hasDroppedForgotten = false
  /// S when the state was closed.
  var lastSaved: [TopicPartition: Int64] = [:]
  var publication: TaskPublication?
  var logger: Logger
  /// What scores the events of the models from `scoringSince` on, by input.
  var epoch: ModelEpoch
  var scoringSince: [Int64] = []
  /// Buffers of the transaction that is on its way.
  var flying: TaskOutputs.Buffers?
  var flyingPredictions: PredictionCut?
  /// What failed inside of a batch; acted upon after it.
  var pendingFailure: HeadraceError?
  /// The store's last write failed: only a new instance knows what the disk has.
  var isStoreFinished = false
  var whyNotMoving: String?
  /// What else is not as it should be, until it is again: a schema that is waited for, a disk without room.
  var schemaTrouble: String?
  var diskTrouble: String?
  /// C was derived from outputs: the group is to know it again.
  var owesCommit = false
  /// When it was found to be fenced, by the monotonic clock.
  var fencedAtMilliseconds: Int64?
  /// When to try again what failed.
  var retryAtMilliseconds: Int64?
  var restarts = 0
  /// The inputs are assigned: positions can be set.
  var isAssigned = false
  var startOffsets: [Int64] = []
  var pausedForBackPressure = false
  var waitsForSchemaUntilMilliseconds: Int64?

  var nextCommitAtMilliseconds: Int64
  var nextCheckpointAtMilliseconds: Int64
  /// A disk that refused a checkpoint is not asked again at once, however much waits.
  var refusedUntilMilliseconds: Int64 = 0
  var nextStatusAtMilliseconds: Int64 = 0
  var commitStartedAtMilliseconds: Int64 = 0
  var lastCommitMilliseconds: Int64?
  var lastCheckpointMilliseconds: Int64?
  var lastCheckpointAtMilliseconds: Int64?
  var watermarkSentAtMilliseconds: Int64 = 0
  /// The watermark that every downstream partition has of a view, by view.
  var sentWatermarks: [Int: Int64] = [:]

  init(
    _ number: Int32, _ context: TaskContext, consumer: Consumer, memoryBudgetBytes: Int,
    instruments: Instruments, wake: @escaping @Sendable () -> Void
  ) throws(HeadraceError) {
    self.number = number
    self.context = context
    self.consumer = consumer
    self.memoryBudgetBytes = memoryBudgetBytes
    self.instruments = instruments
    logger = context.logger
    logger[metadataKey: "task"] = "\(number)"
    machine = TaskProtocol(context.configuration.acceptances)
    epoch = context.models.newest
    outputs = Self.outputs(number, context)
    scoring = try Self.scoringLane(number, context)
    lane = context.isTransactional ? try Self.lane(number, context, wake) : nil
    checkpointLane = try CheckpointLane(wake: wake)
    let now = WallClock.monotonic.nowMilliseconds
    nextCommitAtMilliseconds = now + context.configuration.commitIntervalMilliseconds
    // Tasks save one after the other, not all at once.
    let interval = context.configuration.checkpointIntervalMilliseconds
    nextCheckpointAtMilliseconds = now + interval / 2 + interval * Int64(number % 8) / 16
  }

  static func outputs(_ number: Int32, _ context: TaskContext) -> TaskOutputs {
    TaskOutputs(
      plan: context.plan, task: number, partitionCount: context.partitionCount,
      writesRejected: context.configuration.writesRejectedRecords,
      recordBytesMaximum: context.rejectedRecordBytesMaximum)
  }

  private static func lane(
    _ number: Int32, _ context: TaskContext, _ wake: @escaping @Sendable () -> Void
  ) throws(HeadraceError) -> CommitLane {
    var producer = ProducerConfiguration(client: context.configuration.client)
    // A commit waits for its records: none of them waits for others.
    producer.lingerMilliseconds = 0
    producer.compression = .lz4
    var transaction = TransactionConfiguration(transactionalID: "\(context.plan.name)-\(number)")
    transaction.timeoutMilliseconds = context.configuration.transactionTimeoutMilliseconds
    return try CommitLane(producer, transaction, wake: wake)
  }

  var partitions: [TopicPartition] { context.partitions(of: number) }
  var isClosed: Bool { machine.phase == .closed }

  /// Tells the machine, and does what it says. What comes of an action is told when all actions are done.
  func follow(_ event: TaskProtocol.Event) {
    events.append(event)
    guard !isFollowing else { return }
    isFollowing = true
    defer { isFollowing = false }
    while !events.isEmpty {
      for action in machine.handle(events.removeFirst()) { perform(action) }
    }
  }

  private func perform(_ action: TaskProtocol.Action) {
    switch action {
    case .openState: openState()
    case .initializeProducer:
      RuntimeKillPoint.pass(.restartOpened)
      if let lane { lane.start() } else { follow(.producerReady) }
    case .readCommitted:
      RuntimeKillPoint.pass(.restartFenced)
      readCommitted()
    case .readFrom(let offsets): read(from: offsets)
    case .commit(let offsets): commit(offsets)
    case .takeCheckpoint(let offsets): takeCheckpoint(offsets)
    case .writeCheckpoint: writeCheckpoint()
    case .discardUnsaved:
      giveUpCheckpoint()
      // A store that is finished has nothing to discard: the one that is opened next has what the disk has.
      if !isStoreFinished { store?.discardUnsaved() }
      outputs.removeAll()
      scoring?.forget()
      flying = nil
      flyingPredictions = nil
      tracedBatches = BatchLinks()
      tracedCommit = nil
      schemaTrouble = nil
      publication?.update(nowMilliseconds: 0) { $0.isReadable = false }
    case .becomeReadable:
      RuntimeKillPoint.pass(.restartReplayed)
      whyNotMoving = nil
      logger.info("task is ready", metadata: ["applied": "\(machine.inputs.map(\.applied))"])
      publish()
    case .close: closeStore()
    case .stop(let stop): halt(stop)
    }
  }

  /// Something failed: from S again, a little later when it fails again and again.
  func fail(_ error: HeadraceError) {
    pendingFailure = nil
    restarts += 1
    whyNotMoving = error.description
    logger.warning("task starts again from its last checkpoint", metadata: ["error": "\(error)"])
    if store?.failure != nil { isStoreFinished = true }
    backOff()
    // `openState` waits for that time.
    follow(.failed)
  }

  func backOff() {
    retryAtMilliseconds = WallClock.monotonic.nowMilliseconds + Int64(min(100 << min(restarts, 6), 5_000))
  }

  private func halt(_ stop: TaskProtocol.Stop) {
    let error = stop.error(self)
    if stop == .fenced { fencedAtMilliseconds = WallClock.monotonic.nowMilliseconds }
    whyNotMoving = error.description
    logger.error("task stops", metadata: ["error": "\(error)"])
    publish()
  }

  /// S of every input.
  var savedOffsets: [TopicPartition: Int64] {
    var offsets: [TopicPartition: Int64] = [:]
    for (input, progress) in zip(inputs, machine.inputs) { offsets[input.partition] = progress.saved }
    return offsets
  }

  func closeStore() {
    isAssigned = false
    giveUpCheckpoint()
    if !inputs.isEmpty { lastSaved = savedOffsets }
    if let publication {
      publication.end()
      context.board.withdraw(publication)
    }
    publication = nil
    releaseSpool()
    store?.close()
    store = nil
    inputs = []
    bootstraps = []
  }
}

extension TaskProtocol.Stop {
  /// What it means and what to do, for a person.
  func error(_ task: PartitionTask) -> HeadraceError {
    func place(_ input: Int) -> String { task.partitions[input].description }
    switch self {
    case .stateAhead(let input, let saved, let committed):
      return HeadraceError(
        .user, "STATE_AHEAD",
        "the state holds records up to offset \(saved), the group has committed \(committed) only",
        place: place(input),
        remedy: "the group's offset was moved back, or the state is of another cluster: move \(task.copies) away to "
          + "rebuild it from the log")
    case .missingCommit(let input, let saved):
      return HeadraceError(
        .user, "COMMIT_MISSING",
        "the state holds records up to offset \(saved), and the group has no offset: it expired, or was deleted",
        place: place(input),
        remedy: "outputs that would tell how far it was are deleted; with --accept-state-offset the state's own offset "
          + "counts: outputs of records from \(saved) on, if there were any, are written a second time")
    case .recordsGone(let input, let from, let to):
      return HeadraceError(
        .external, "RECORDS_GONE", "records \(from) ..< \(to) are gone from the log, and the state has not seen them",
        place: place(input),
        remedy: "restore a newer copy of \(task.statePath), or accept with --accept-lost-records that they are left out"
      )
    case .logTruncated(let input, let offset, let end):
      return HeadraceError(
        .external, "LOG_TRUNCATED", "offset \(offset) was read before, and the log ends at \(end)", place: place(input),
        remedy:
          "the topic was made again, or its broker lost records: find out which; then \(task.beginAnew)")
    case .fenced:
      return HeadraceError(
        .external, "TASK_FENCED", "another instance has taken this task over", place: "task \(task.number)",
        remedy: "nothing, if there are several instances; else stop the other process that uses this topology's name")
    case .digestDiffers(let input, let offset):
      return HeadraceError(
        .internal, "DIGEST_DIFFERS", "reading up to offset \(offset) again gave other results than the first time",
        place: place(input),
        remedy: "a record or a decision changed under the same plan: report it, and move \(task.copies) away to "
          + "rebuild the state")
    case .topicRecreated(let input, let offset):
      return HeadraceError(
        .user, "TOPIC_RECREATED", "offset \(offset) holds another record than the one that the state has read",
        place: place(input),
        remedy: "the topic was deleted and made again: \(task.beginAnew)")
    }
  }
}

extension PartitionTask {
  /// How a person has the task forget everything.
  fileprivate var beginAnew: String {
    let plan = context.plan
    let topics =
      [plan.deadLetterTopic, plan.lateTopic] + plan.views.compactMap(\.repartitionTopic)
      + plan.predictionTopics.map(\.name)
    let snapshots = context.snapshots.map { " and \($0.store.place)" } ?? ""
    let state = "\(context.configuration.dataDirectory)/state/\(plan.name)"
    return "to begin anew, stop every worker, move \(state)\(snapshots) away, and "
      + "delete the group \(plan.name) and the topics \(topics.joined(separator: ", "))"
  }

  var statePath: String { context.statePath(number) }

  /// Where this task's state is, snapshots too: what is left of them would come back.
  fileprivate var copies: String {
    context.snapshots.map { "\(statePath) and \($0.store.place)/\(number)" } ?? statePath
  }
}
