package import Core

/// The log of one partition: a folder of segments, and what is known of its producers and transactions.
///
/// Confined to the broker's event loop. A call that returns has its bytes in the kernel, so a killed process loses
/// nothing; the flush job brings them to the disk later, against a loss of power. One node holds every partition alone:
/// the high watermark is always the end of the log, and the leader epoch is always 0.
package final class PartitionLog {
  package let folder: String
  /// May be replaced at any time; it counts from the next call on.
  package var configuration: LogConfiguration
  /// What opening found.
  package let recovery: LogRecoveryReport

  let resources: LogResources
  /// In the order of their offsets; the last one grows.
  var segments: [LogSegment]
  package internal(set) var producers: ProducerStates
  var aborted: AbortedTransactions
  /// The first offset that may be read.
  package internal(set) var logStartOffset: Int64
  /// Everything below is on the disk.
  package internal(set) var recoveryPoint: Int64
  /// Set when the content of a file became unknown; every later call fails with it.
  package internal(set) var offlineReason: StorageFailure?
  var readHints = ReadHints()
  /// Closed segments that the next flush has to bring to the disk.
  var unflushed: [LogSegment]
  /// Files that are no part of the log any more, for the next flush to remove.
  var condemnedPaths: [String] = []
  /// Where the last compaction ended; its next one starts with the bytes behind.
  var cleanedUpTo: Int64

  init(recovered: consuming LogRecovery, configuration: LogConfiguration, resources: LogResources) {
    folder = recovered.folder
    recovery = recovered.report
    segments = recovered.segments
    producers = recovered.producers
    aborted = recovered.aborted
    logStartOffset = recovered.logStartOffset
    recoveryPoint = recovered.recoveryPoint
    unflushed = recovered.unflushed
    cleanedUpTo = recovered.cleanedUpTo
    self.configuration = configuration
    self.resources = resources
  }

  /// Opens the log in a folder, which is made if it does not exist, and brings it to the state of the last whole batch.
  /// - Throws: `LOG_CORRUPT` when data that later segments build on is damaged; `STORAGE` when the disk refuses.
  package static func open(
    folder: String, configuration: LogConfiguration, resources: LogResources, nowMilliseconds: Int64
  ) throws(HeadraceError) -> PartitionLog {
    var recovery = LogRecovery(folder: folder, configuration: configuration, nowMilliseconds: nowMilliseconds)
    try recovery.run()
    return PartitionLog(recovered: recovery, configuration: configuration, resources: resources)
  }

  /// The offset that the next record will get; also the high watermark.
  package var logEndOffset: Int64 { active.endOffset }

  /// Nothing at or behind it is decided: the first offset of the oldest open transaction, else the end of the log.
  package var lastStableOffset: Int64 {
    max(logStartOffset, producers.firstOpenOffset ?? logEndOffset)
  }

  /// Bytes of all segments.
  package var sizeBytes: Int64 { segments.reduce(0) { $0 + Int64($1.sizeBytes) } }

  package var segmentCount: Int { segments.count }

  /// The segment that grows.
  var active: LogSegment {
    // A log never has no segment: recovery makes one and nothing removes the last.
    segments[segments.count - 1]
  }

  /// Where the leader epoch that a client knows ended (KIP-320); there has only ever been epoch 0.
  /// - Returns: nil for an epoch that never was.
  package func endOffset(ofLeaderEpoch epoch: Int32) -> Int64? {
    epoch == 0 ? logEndOffset : nil
  }

  /// Whether the producer has an open transaction here that a marker of this epoch would end.
  package func hasOpenTransaction(producerID: Int64, producerEpoch: Int16) -> Bool {
    producers.hasOpenTransaction(producerID: producerID, producerEpoch: producerEpoch)
  }

  /// The transactions that a read_committed reader of `from ..< upTo` has to filter, sorted by first offset.
  package func abortedTransactions(from start: Int64, upTo end: Int64) -> [AbortedTransaction] {
    aborted.overlapping(from: start, upTo: end)
  }

  /// Forgets producers that were idle for `producer.id.expiration.ms`.
  /// - Returns: how many.
  @discardableResult
  package func expireProducers(nowMilliseconds: Int64) -> Int {
    producers.expire(
      idleMilliseconds: configuration.producerIDExpirationMilliseconds, nowMilliseconds: nowMilliseconds)
  }

  func ensureOnline() throws(LogError) {
    if let offlineReason { throw .offline(offlineReason) }
  }

  /// The index of the segment that holds the offset, or would hold it.
  func segmentIndex(holding offset: Int64) -> Int {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].baseOffset <= offset { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }

  /// File and index of a segment.
  func open(_ segment: LogSegment) throws(LogError) -> LogSegment.Opened {
    if segment === active, let opened = segment.opened { return opened }
    return try resources.segments.open(segment)
  }
}
