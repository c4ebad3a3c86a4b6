internal import Core
internal import Kafka
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Topology

// The archive as a second source: what retention took from the log and the state has not seen (DESIGN section 4,
// "Retention passed S").

extension PartitionTask {
  /// The ends of an input's log, with what its archive has in front of it.
  ///
  /// Everything that the archive has was committed before (D ≤ S ≤ C of some former life), so that nothing of it is
  /// emitted again, and its own rows are not wanted a second time.
  func reachableLog(_ input: TaskInput, _ log: Watermarks, saved: Int64?) -> TaskProtocol.LogEnds {
    let found = TaskProtocol.LogEnds(beginning: log.beginning, end: log.end)
    guard (saved ?? 0) < log.beginning, let reach = archiveReach(input) else { return found }
    guard reach.nextOffset >= log.beginning else {
      logger.error(
        "records are in neither archive nor log",
        metadata: [
          "partition": "\(input.partition)", "from": "\(max(reach.nextOffset, saved ?? 0))", "to": "\(log.beginning)",
        ])
      return found
    }
    return .init(beginning: min(reach.firstOffset, log.beginning), end: log.end)
  }

  /// nil: there is none, or several sources read the topic, whose archives need not hold the same records.
  private func archiveReach(_ input: TaskInput) -> ArchiveSnapshot.Reach? {
    guard let store = context.configuration.tableStore, input.sources.count == 1,
      let source = input.sources.first?.source
    else { return nil }
    do throws(HeadraceError) {
      return try ArchiveSnapshot.open(store, source: source.name)?
        .reach(topology: context.plan.name, topic: input.partition.topic, partition: number)
    } catch {
      logger.warning("the archive cannot be read", metadata: ["source": "\(source.name)", "error": "\(error)"])
      return nil
    }
  }

  /// Begins with the archive where the log begins behind `offset`.
  ///
  /// - Returns: where the log is read from meanwhile; nil: `offset` is in the log.
  func startFromArchive(_ input: TaskInput, at offset: Int64, log: Watermarks) throws(HeadraceError) -> Int64? {
    guard offset < log.beginning, let store = context.configuration.tableStore, let source = input.sources.first else {
      return nil
    }
    input.archive = try ArchiveFeed(
      .init(
        store: store, topology: context.plan.name, source: source.source, partition: input.partition,
        offsets: offset..<Int64.max))
    input.isWithoutDigest = true
    input.expectedWitness = nil
    input.witness = nil
    logger.notice(
      "records that retention took are read from the archive",
      metadata: ["partition": "\(input.partition)", "from": "\(offset)", "log": "\(log.beginning)"])
    // Nothing that comes counts before the archive is read: it comes again.
    return log.end
  }

  /// How long a task reads its archives before it looks after the others again.
  private static let archiveMilliseconds: Int64 = 20

  /// Applies more of the archives of inputs whose log begins behind them; goes over to the log at their ends.
  func advanceArchives() {
    guard pendingFailure == nil, inputs.contains(where: { $0.archive != nil }) else { return }
    let deadline = WallClock.monotonic.nowMilliseconds + Self.archiveMilliseconds
    for (index, input) in inputs.enumerated() {
      do throws(HeadraceError) {
        while let feed = input.archive, let source = input.sources.first, machine.phase == .running,
          WallClock.monotonic.nowMilliseconds < deadline,
          (store?.unsavedBytes ?? 0) < 2 * dirtyBytesMaximum
        {
          let step = try feed.advance(source)
          if case .nothingYet = step { break }
          if case .atEnd = step { try leaveArchive(feed, index, input, source) }
          RuntimeKillPoint.pass(.archiveApplied)
          follow(.applied(input: index, offset: feed.position))
        }
      } catch {
        pendingFailure = error
      }
    }
  }

  private func leaveArchive(
    _ feed: ArchiveFeed, _ index: Int, _ input: TaskInput, _ source: SourcePipeline
  ) throws(HeadraceError) {
    let beginning = try logBeginning(of: input.partition)
    var position = try feed.handOver(source, logBeginning: beginning)
    // Between the last archived event and the log's first record there were only duplicates and bad records.
    if position == nil, let reach = feed.reach, reach.nextOffset >= beginning {
      position = max(beginning, feed.position)
    }
    input.archive = nil
    guard let position else {
      return follow(.contradicted(.recordsGone(input: index, from: feed.position, to: beginning)))
    }
    try consumer.seek(input.partition, to: position)
    follow(.applied(input: index, offset: position))
    RuntimeKillPoint.pass(.archiveLeft)
    logger.notice("the log is read on", metadata: ["partition": "\(input.partition)", "from": "\(position)"])
  }

  /// The first offset that the log of a partition has.
  func logBeginning(of partition: TopicPartition) throws(HeadraceError) -> Int64 {
    guard let log = try consumer.watermarks([partition])[partition] else {
      throw HeadraceError(.unknownTopicOrPartition, "the log has no such partition", place: "\(partition)")
    }
    return log.beginning
  }

  /// Whether some archive has something to apply, or the log is read for a view.
  var hasHistoryAtHand: Bool {
    inputs.contains { $0.archive?.isReady ?? false } || mayBuild && bootstraps.contains { $0.isReady }
  }

  var readsHistory: Bool { !bootstraps.isEmpty || inputs.contains { $0.archive != nil } }
}
