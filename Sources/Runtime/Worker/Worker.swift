internal import Core
internal import Kafka
internal import Logging
internal import Topology

/// One thread that reads: a member of the group, with the tasks that the group gave to it.
///
/// Everything it owns lives and dies on this thread. What goes wrong with one task is the task's matter; what goes
/// wrong with the consumer ends the session: everything unsaved goes, and a new consumer joins.
final class Worker: RebalanceListener {
  private let index: Int
  var context: TaskContext
  private let instanceID: String
  let control: WorkerControl
  let instruments: Instruments
  var tasks: [Int32: PartitionTask] = [:]
  private var consumer: Consumer?
  private var logger: Logger
  private var lastRoundMilliseconds = WallClock.monotonic.nowMilliseconds
  /// Until when this process stood still for longer than a session may be silent.
  private var stoodStillUntilMilliseconds: Int64?

  /// How often it is asked whether a table has answered.
  private static let archiveWaitMilliseconds: Int64 = 5
  private static let fencedPatienceMilliseconds: Int64 = 1_000

  init(_ index: Int, _ context: TaskContext, instanceID: String, control: WorkerControl) {
    self.index = index
    self.context = context
    self.instanceID = instanceID
    self.control = control
    instruments = Instruments(
      context.cost,
      tracer: context.spans.map { BatchTracer($0, context.configuration.telemetry, group: context.plan.name) })
    logger = context.logger
    logger[metadataKey: "worker"] = "\(index)"
  }

  /// Works until it is told to stop, or must not go on.
  func run() {
    var failures = 0
    while !control.isStopping {
      do {
        if let next = control.takeContext() {
          context = next
          RuntimeKillPoint.pass(.switchAfter)
        }
        try session()
        failures = 0
      } catch {
        endSession()
        guard let error = error as? HeadraceError, mayGoOn(error) else {
          let error = error as? HeadraceError ?? HeadraceError(.internal, "WORKER_FAILED", "\(error)")
          logger.critical("worker ends", metadata: ["error": "\(error)"])
          context.board.set(failure: error)
          break
        }
        failures += 1
        logger.warning("worker joins again", metadata: ["error": "\(error)"])
        control.pause(milliseconds: min(200 << min(failures, 5), 5_000))
      }
    }
    control.noteEnd()
  }

  /// What another attempt could mend. Whoever runs under our name has the better right to it, unless that is ourselves:
  /// a process that stood still (Ctrl-Z, a machine that slept) is given up by the group and joins again by itself, more
  /// than once, and what it had asked before is refused in the name of what it asked later.
  private func mayGoOn(_ error: HeadraceError) -> Bool {
    guard error.isKafka(.fencedInstance) else { return error.domain != .user }
    noteRound()
    guard let stoodStillUntilMilliseconds else { return false }
    return WallClock.monotonic.nowMilliseconds - stoodStillUntilMilliseconds
      < 2 * Int64(context.configuration.sessionTimeoutMilliseconds)
  }

  /// Called once in each round, which takes far less than a session may be silent.
  private func noteRound() {
    let now = WallClock.monotonic.nowMilliseconds
    if now - lastRoundMilliseconds >= Int64(context.configuration.sessionTimeoutMilliseconds) {
      stoodStillUntilMilliseconds = now
    }
    lastRoundMilliseconds = now
  }

  private func session() throws {
    let consumer = try Consumer(configuration(), listener: self)
    self.consumer = consumer
    control.set(waker: try consumer.waker())
    try consumer.subscribe(context.topics)
    lastRoundMilliseconds = WallClock.monotonic.nowMilliseconds
    while !control.isStopping {
      if control.hasContext, try !goOver() { break }
      let result: PollResult
      instruments.tracer?.pollStarts()
      do {
        result = try consumer.poll(timeoutMilliseconds: pollTimeout()) { records in
          tasks[records.partition.partition]?.process(records)
        }
      } catch let error as HeadraceError where isAboutOneTask(error) {
        continue
      }
      for batch in result.unreadable { tasks[batch.partition.partition]?.passOver(batch) }
      noteRound()
      // Asking for it wakes the library's thread that sends heartbeats.
      if control.takeClockStep() { _ = try consumer.groupMetadata() }
      for partition in result.endsReached { tasks[partition.partition]?.reachedEnd(of: partition) }
      let now = WallClock.monotonic.nowMilliseconds
      for task in tasks.values { task.tick(nowMilliseconds: now) }
      instruments.markTick()
      try askWhoOwns(now)
    }
    if control.isAbandoning { endSession() } else { try leave(consumer) }
  }

  /// Runs the other plan that is there, in the session that there is.
  ///
  /// - Returns: false when it takes another one: the new plan reads other topics.
  private func goOver() throws -> Bool {
    guard let next = control.takeContext() else { return true }
    guard context.canGoOver(to: next) else {
      control.giveBack(next)
      return false
    }
    context = next
    for task in tasks.values {
      task.goOver(to: next)
      control.noteLeft(task.number, task.savedOffsets)
    }
    return true
  }

  /// A task is fenced by its new owner, or because its transaction was open for too long (the process stood still).
  /// Whose it is only the group knows: if it has not taken the task away by itself, this worker joins again and hears.
  private func askWhoOwns(_ now: Int64) throws {
    guard
      let fenced = tasks.values.first(where: { task in
        task.fencedAtMilliseconds.map { now - $0 > Self.fencedPatienceMilliseconds } ?? false
      })
    else { return }
    for task in tasks.values { task.leave() }
    throw HeadraceError(
      .external, "TASK_FENCED", "another producer took over the transactions of a task", retry: .newInstance,
      place: "task \(fenced.number)")
  }

  private func configuration() -> ConsumerConfiguration {
    var configuration = ConsumerConfiguration(client: context.configuration.client, groupID: context.plan.name)
    configuration.groupInstanceID = "\(instanceID)-\(index)"
    configuration.sessionTimeoutMilliseconds = context.configuration.sessionTimeoutMilliseconds
    configuration.heartbeatIntervalMilliseconds = min(3_000, context.configuration.sessionTimeoutMilliseconds / 3)
    configuration.batchRecordsMaximum = context.configuration.batchRecordsMaximum
    configuration.reportsPartitionEnds = true
    configuration.reportsUnreadableBatches = true
    configuration.fetchWaitMaximumMilliseconds = 50
    return configuration
  }

  private func pollTimeout() -> Int32 {
    if tasks.values.contains(where: \.hasHistoryAtHand) { return 0 }
    let now = WallClock.monotonic.nowMilliseconds
    let next = tasks.values.map(\.nextCommitAtMilliseconds).min() ?? now + 100
    let longest = tasks.values.contains(where: \.readsHistory) ? Self.archiveWaitMilliseconds : 100
    return Int32(clamping: min(max(next - now, 1), longest))
  }

  /// Everything of this session goes: nothing is saved, nothing is committed.
  private func endSession() {
    for task in tasks.values { task.follow(.lost) }
    tasks = [:]
    _ = try? consumer?.close()
    consumer = nil
  }

  /// Commits, saves and closes every task, then leaves the group.
  private func leave(_ consumer: Consumer) throws {
    if control.hasContext { RuntimeKillPoint.pass(.switchBefore) }
    for task in tasks.values {
      task.leave()
      control.noteLeft(task.number, task.lastSaved)
    }
    tasks = [:]
    try consumer.close()
    self.consumer = nil
  }

  /// Retention or a truncated log concerns one task; the others go on.
  private func isAboutOneTask(_ error: HeadraceError) -> Bool {
    guard error.code == "RECORDS_DELETED" || error.code == "LOG_TRUNCATED", let place = error.place else {
      return false
    }
    for task in tasks.values {
      guard let input = task.inputs.firstIndex(where: { $0.partition.description == place }) else { continue }
      let due = task.machine.inputs[input].applied
      let ends = (try? consumer?.watermarks([task.inputs[input].partition]))?[task.inputs[input].partition]
      task.follow(
        .contradicted(
          error.code == "RECORDS_DELETED"
            ? .recordsGone(input: input, from: due, to: ends?.beginning ?? due)
            : .logTruncated(input: input, offset: due, end: ends?.end ?? 0)))
      return true
    }
    return false
  }
}
