internal import Core
internal import Kafka
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Topology

/// A view that is built while the others of its task go on: from the archive, as far as the log does not reach back,
/// then from the log.
///
/// It has readers, watermarks, deduplication and rows of its own, and decides about every record as the task did: both
/// are functions of the same prefix. When it stands where the task stands it becomes one of the task's views.
final class ViewBootstrap {
  /// A position in `Plan.views`.
  let view: Int
  let storeView: Int
  let plan: ViewPlan
  let pipeline: SourcePipeline
  /// Everything below it is in the view's rows.
  private(set) var position: Int64
  /// Under which the ids of its own are kept.
  let dedupeName: String
  private let partition: TopicPartition
  private let context: TaskContext
  private var place = Place.open
  /// It was said that records are missing: once is enough.
  private var hasWarned = false

  private enum Place {
    /// To be chosen.
    case open
    /// Complete: it had every row below its limit that belongs into it before it was opened.
    case archive(ArchiveFeed, isComplete: Bool)
    /// What is needed next is on its way from the spool to the archive.
    case waiting(untilMilliseconds: Int64)
    case log(Consumer)
  }

  private static let waitMilliseconds: Int64 = 250

  init(
    view: Int, storeView: Int, plan: ViewPlan, pipeline: SourcePipeline, dedupeName: String, position: Int64,
    context: TaskContext
  ) {
    self.view = view
    self.dedupeName = dedupeName
    self.storeView = storeView
    self.plan = plan
    self.pipeline = pipeline
    self.position = position
    self.context = context
    partition = pipeline.partition
  }

  deinit { closeLog() }

  private func closeLog() {
    if case .log(let consumer) = place { _ = try? consumer.close(timeoutMilliseconds: 1_000) }
  }

  /// Whether there is something to read at once, as far as that is known.
  var isReady: Bool {
    switch place {
    case .open, .log: true
    case .archive(let feed, _): feed.isReady
    case .waiting(let until): WallClock.monotonic.nowMilliseconds >= until
    }
  }

  /// What the task knows where it stands.
  struct Surroundings {
    /// Everything below it is applied by the task.
    var target: Int64
    /// The partition's watermark there.
    var watermark: Int64
    /// Rows that the archive does not have yet are waiting for it, or will be.
    var isArchiving: Bool
    /// The archive has every row below the target that belongs into it.
    var isArchiveComplete: Bool
    /// Asks the broker.
    var logBeginning: () throws(HeadraceError) -> Int64
  }

  /// Reads on, at most to where the task stands.
  ///
  /// - Returns: whether the view stands there now.
  func advance(_ task: Surroundings) throws -> Bool {
    guard position < task.target else { return position == task.target }
    switch place {
    case .open: try choose(task)
    case .waiting(let until):
      guard WallClock.monotonic.nowMilliseconds >= until else { return false }
      try choose(task)
    case .archive(let feed, let isComplete):
      switch try feed.advance(pipeline) {
      case .nothingYet: return false
      case .applied: position = feed.position
      case .atEnd: try leave(feed, isComplete: isComplete, task)
      }
      RuntimeKillPoint.pass(.archiveApplied)
    case .log(let consumer): try read(consumer, to: task.target)
    }
    return position == task.target
  }

  /// The log if it has what is needed next, else the archive.
  private func choose(_ task: Surroundings) throws(HeadraceError) {
    let beginning = try task.logBeginning()
    guard position < beginning, let store = context.configuration.tableStore else {
      return try readLog(from: beginning)
    }
    place = .archive(
      try ArchiveFeed(
        .init(
          store: store, topology: context.plan.name, source: pipeline.source, partition: partition,
          offsets: position..<task.target)), isComplete: task.isArchiveComplete)
  }

  /// The archive has no more: the log goes on, at exactly the next offset.
  private func leave(_ feed: ArchiveFeed, isComplete: Bool, _ task: Surroundings) throws(HeadraceError) {
    let beginning = try task.logBeginning()
    if let next = try feed.handOver(pipeline, logBeginning: beginning) {
      position = next
      return try readLog(from: beginning)
    }
    position = feed.position
    if feed.limit == task.target, isComplete || feed.reach?.nextOffset ?? 0 >= task.target {
      // Behind the last archived event there were only duplicates and bad records: nothing is left to be read.
      pipeline.decisions.raise(watermark: task.watermark)
      position = task.target
    } else if position >= beginning {
      try readLog(from: beginning)
    } else if task.isArchiving {
      place = .waiting(untilMilliseconds: WallClock.monotonic.nowMilliseconds + Self.waitMilliseconds)
    } else {
      try readLog(from: beginning)
    }
  }

  private func readLog(from beginning: Int64) throws(HeadraceError) {
    if position < beginning {
      if !hasWarned, position > 0 || beginning > 0 {
        hasWarned = true
        context.logger.warning(
          "records are in neither archive nor log: the view begins behind them",
          metadata: [
            "view": "\(plan.name)", "partition": "\(partition)", "from": "\(position)", "to": "\(beginning)",
          ])
      }
      position = beginning
    }
    var configuration = ConsumerConfiguration(client: context.configuration.client, groupID: nil)
    configuration.batchRecordsMaximum = context.configuration.batchRecordsMaximum
    configuration.reportsPartitionEnds = true
    configuration.reportsUnreadableBatches = true
    // As much as the task's own reader may hold, for all views that are being built, would be too much.
    configuration.prefetchKibibytesMaximum = 8_192
    let consumer = try Consumer(configuration)
    try consumer.assign([partition: .offset(position)])
    place = .log(consumer)
    RuntimeKillPoint.pass(.archiveLeft)
  }

  private func read(_ consumer: Consumer, to target: Int64) throws {
    let result: PollResult
    do {
      result = try consumer.poll(timeoutMilliseconds: 0) { records in
        var end = records.count
        while end > 0, records[end - 1].offset >= target { end -= 1 }
        if end > 0 {
          let done = try pipeline.process(records, 0..<end, outputs: nil)
          if done > 0 { position = records[done - 1].offset + 1 }
          guard done == end else { return try consumer.seek(partition, to: records[done].offset) }
        }
        guard end < records.count else { return }
        // All that is left below the target are markers and holes.
        try consumer.seek(partition, to: target)
        position = target
      }
    } catch let error as HeadraceError where error.code == "RECORDS_DELETED" {
      // Retention was faster. What it took is in the archive, or will be.
      closeLog()
      place = .open
      return
    }
    for batch in result.unreadable where batch.offset >= position && batch.offset < target {
      // Counted as the task counted it.
      pipeline.passOver(batch.offset, outputs: nil)
      position = batch.offset + 1
      try consumer.seek(partition, to: position)
    }
    if !result.endsReached.isEmpty {
      // Behind the last record there are markers. Not simply all that is below the target: the task may have read what
      // was not in the log yet when this reader came to its end.
      position = max(position, min(try consumer.position(of: partition), target))
    }
  }

  /// What a checkpoint keeps.
  var record: CheckpointRecord.BootstrapRecord {
    var input = CheckpointRecord.InputRecord(topic: partition.topic, nextOffset: position)
    input.sources = [pipeline.record]
    return CheckpointRecord.BootstrapRecord(fingerprint: plan.fingerprint.value, input: input)
  }
}

extension PartitionTask {
  /// How long a task builds before it looks after the others again; each turn is a batch at least.
  private static let buildMillisecondsMaximum: Int64 = 5

  /// Gives views that are being built a piece of the log, in turns, and takes those in that have caught up.
  func advanceBootstraps() {
    let deadline = WallClock.monotonic.nowMilliseconds + Self.buildMillisecondsMaximum
    for _ in bootstraps.indices {
      guard WallClock.monotonic.nowMilliseconds < deadline, mayBuild else { return }
      let bootstrap = bootstraps.removeFirst()
      bootstraps.append(bootstrap)
      guard pendingFailure == nil, machine.phase == .running,
        let index = inputs.firstIndex(where: { input in
          input.sources.contains { $0.source.name == bootstrap.sourceName }
        }),
        let main = inputs[index].sources.first(where: { $0.source.name == bootstrap.sourceName })
      else { continue }
      let before = bootstrap.position
      do {
        let isBuilt = try bootstrap.advance(surroundings(index, main))
        if isBuilt || bootstrap.position != before { follow(.stateMoved) }
        guard isBuilt else { continue }
      } catch {
        pendingFailure =
          error as? HeadraceError ?? HeadraceError(.internal, "BOOTSTRAP", "\(error)", place: bootstrap.plan.name)
        continue
      }
      RuntimeKillPoint.pass(.spliceBefore)
      main.add(context.plan, bootstrap.view, bootstrap.storeView)
      do throws(HeadraceError) { try attachHistories(to: main) } catch { pendingFailure = error }
      bootstraps.removeAll { $0 === bootstrap }
      RuntimeKillPoint.pass(.spliceAfter)
      // Its ids are those of the task from here on; they go when a checkpoint says so.
      dedupeNames.remove(bootstrap.dedupeName)
      logger.info(
        "view is built", metadata: ["view": "\(bootstrap.plan.name)", "offset": "\(bootstrap.position)"])
      nextCheckpointAtMilliseconds = 0
    }
  }

  /// Rows that no checkpoint holds cannot leave memory.
  var mayBuild: Bool { (store?.unsavedBytes ?? 0) < 2 * dirtyBytesMaximum }

  private func surroundings(_ index: Int, _ main: SourcePipeline) -> ViewBootstrap.Surroundings {
    let partition = inputs[index].partition
    let progress = machine.inputs[index]
    let isWaiting = main.archive.map { $0.spool.ledger.isWaiting($0.table) }
    return .init(
      target: progress.applied, watermark: main.record.watermark, isArchiving: isWaiting != nil,
      isArchiveComplete: isWaiting == false && progress.saved == progress.applied,
      logBeginning: { [consumer] () throws(HeadraceError) in
        guard let log = try consumer.watermarks([partition])[partition] else {
          throw HeadraceError(.unknownTopicOrPartition, "the log has no such partition", place: "\(partition)")
        }
        return log.beginning
      })
  }

  /// The views whose rows hold everything that is applied.
  var builtViews: [UInt64] {
    var built: [UInt64] = []
    for input in inputs {
      if let deltas = input.deltas { built.append(deltas.view.fingerprint.value) }
      for source in input.sources { built += source.targets.map(\.plan.fingerprint.value) }
    }
    return built
  }

  /// Rows of views that the plan does not have any more, and ids of those that were being built, go when all that it
  /// has are built.
  func dropForgottenViews() {
    guard bootstraps.isEmpty, !hasDroppedForgotten, let store else { return }
    hasDroppedForgotten = true
    do throws(HeadraceError) {
      for stored in try store.storedNamespaces() where !namespaces.contains(stored.id) {
        try store.dropNamespace(stored.id)
        logger.info("rows of a former view are dropped", metadata: ["view": "\(stored.name)"])
      }
      for source in try store.storedDedupeSources() where !dedupeNames.contains(source) {
        try store.dropDedupeTable(source: source)
      }
    } catch {
      pendingFailure = error
    }
  }
}

extension ViewBootstrap {
  var sourceName: String { pipeline.source.name }
}
