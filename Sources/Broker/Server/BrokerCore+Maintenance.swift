internal import Core
internal import Glibc
internal import Logging
internal import NIOCore

/// What happens by the clock: flushes, retention, compaction, and connections that have outstayed their time.
extension BrokerCore {
  private static let housekeepingMilliseconds: Int64 = 1_000

  func startMaintenance() {
    let maintenance = configuration.maintenance
    every(Self.housekeepingMilliseconds) { core in
      core.closeOverstayedConnections()
      core.snapshotJournalIfDue()
    }
    every(maintenance.flushIntervalMilliseconds) { $0.flush() }
    every(maintenance.retentionCheckIntervalMilliseconds) { $0.applyRetention() }
    every(maintenance.compactionIntervalMilliseconds) { $0.compact() }
    groupAlarm.ring(at: groups.nextDeadlineMilliseconds, nowMilliseconds: coordinatorMilliseconds)
    transactionAlarm.ring(at: transactions.nextDeadlineMilliseconds, nowMilliseconds: coordinatorMilliseconds)
  }

  private func forEachPartition(_ body: (Topic, Partition) -> Void) {
    for topic in topics.values {
      for partition in topic.partitions { body(topic, partition) }
    }
  }

  // MARK: Power loss

  /// A kill of the process loses nothing that was written; this bounds what a power failure can take.
  private func flush() {
    flushJournal()
    forEachPartition { topic, partition in
      guard !partition.isUnderMaintenance, let job = partition.log.flushJob() else { return }
      maintain(partition, of: topic, job: { try job.run() }) { log, result throws(LogError) in try log.flushed(result) }
    }
  }

  private func flushJournal() {
    guard !isJournalBeingFlushed else { return }
    let descriptor = journal.duplicate()
    guard descriptor >= 0 else { return }
    isJournalBeingFlushed = true
    let core = NIOLoopBound(self, eventLoop: loop)
    let path = folder.journalPath
    worker.run(on: loop) {
      defer { close(descriptor) }
      guard fdatasync(descriptor) == 0 else { throw JournalFile.storageError("fdatasync", path) }
    } completion: { result in
      core.value.isJournalBeingFlushed = false
      if case .failure(let error) = result {
        core.value.logger.critical(
          "the journal cannot be flushed: what was written last may not survive a power failure",
          metadata: ["error": "\(error)"])
      }
    }
  }

  // MARK: Space

  private func applyRetention() {
    let now = wallMilliseconds
    forEachPartition { topic, partition in
      guard !partition.isUnderMaintenance else { return }
      do throws(LogError) {
        let deleted = try partition.log.applyRetention(nowMilliseconds: now)
        guard deleted > 0 else { return }
        logger.info(
          "retention deleted segments",
          metadata: ["partition": "\(topic.name)/\(partition.index)", "segments": "\(deleted)"])
      } catch {
        logger.error(
          "retention failed",
          metadata: ["partition": "\(topic.name)/\(partition.index)", "error": "\(error.message)"])
      }
      partition.log.expireProducers(nowMilliseconds: now)
    }
  }

  private func compact() {
    let now = wallMilliseconds
    forEachPartition { topic, partition in
      guard !partition.isUnderMaintenance, let job = partition.log.compactionJob(nowMilliseconds: now) else { return }
      maintain(partition, of: topic, job: { try job.run() }) { log, result throws(LogError) in try log.apply(result) }
    }
  }

  /// Runs `job` beside the event loop and brings its result home, unless the topic is gone by then.
  private func maintain<Value: Sendable>(
    _ partition: Partition, of topic: Topic, job: @escaping @Sendable () throws -> Value,
    finish: @escaping @Sendable (PartitionLog, Value) throws(LogError) -> Void
  ) {
    partition.isUnderMaintenance = true
    let bound = NIOLoopBound((self, topic, partition), eventLoop: loop)
    worker.run(on: loop, job) { result in
      let (core, topic, partition) = bound.value
      partition.isUnderMaintenance = false
      guard core.topics[topic.name] === topic else { return }
      do {
        try finish(partition.log, try result.get())
      } catch {
        core.logger.error(
          "maintenance failed", metadata: ["partition": "\(topic.name)/\(partition.index)", "error": "\(error)"])
      }
    }
  }
}
