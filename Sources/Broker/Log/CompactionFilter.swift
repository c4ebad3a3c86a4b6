internal import Codecs

/// What is left of each batch when the log is compacted. Rules: Kafka's log cleaner with delete horizons (KIP-534).
///
/// - A record stays when no later one has its key; one without a key, or of an aborted transaction, goes.
/// - A tombstone stays until the delete horizon of its batch, which its first compaction sets.
/// - A marker stays while a batch of its transaction does, and then until its delete horizon.
/// - A producer's last batch stays, if need be without records, and so does the marker that is its last entry. A batch
///   without
///   records is no part of a transaction: it must not keep one open when its marker is gone.
/// - What lies below the log's start goes.
struct CompactionFilter {
  enum Decision {
    case keep
    case drop
    case replace([UInt8])
  }

  private let keys: CompactionKeyMap
  private let producers: [Int64: CompactionJob.LastEntry]
  private let logStartOffset: Int64
  private let nowMilliseconds: Int64
  private let deleteRetentionMilliseconds: Int64
  private var transactions: CompactionTransactions
  private let reader = RecordReader()
  private let compressor = Compressor()
  /// Offsets of markers whose transactions have no batch left.
  private(set) var droppableMarkers: Set<Int64> = []

  init(job: CompactionJob, keys: CompactionKeyMap) {
    self.keys = keys
    producers = job.producers
    logStartOffset = job.logStartOffset
    nowMilliseconds = job.nowMilliseconds
    deleteRetentionMilliseconds = job.configuration.deleteRetentionMilliseconds
    transactions = CompactionTransactions(aborted: job.aborted)
  }

  mutating func decide(_ header: RecordBatchHeader, _ records: RawSpan, path: String) throws(StorageFailure) -> Decision
  {
    if header.attributes.contains(.control) { return try decideMarker(header, records, path: path) }
    let isDeleted = header.lastOffset < logStartOffset
    let isAborted = isDeleted || transactions.takeData(header)
    let isLastOfProducer = header.hasProducerID && producers[header.producerID]?.dataOffset == header.lastOffset
    let dropsTombstones = hasReachedHorizon(header)
    let first = header.baseOffset
    var survivors: [RecordLayout] = []
    var hasTombstone = false
    if !isAborted {
      try reader.read(header, records, path: path) { bytes, record in
        guard let key = record.key else { return }
        let isTombstone = record.value == nil
        if isTombstone, dropsTombstones { return }
        if let newest = keys.offset(of: bytes, key), newest > first &+ Int64(record.offsetDelta) { return }
        survivors.append(record)
        if isTombstone { hasTombstone = true }
      }
    }
    let setsHorizon = hasTombstone && !header.attributes.contains(.deleteHorizon)
    if survivors.count == Int(header.recordCount), !survivors.isEmpty, !setsHorizon { return .keep }
    if survivors.isEmpty { return isLastOfProducer ? emptied(header) : .drop }
    return .replace(try rebuild(header, records, keeping: survivors, setsHorizon: setsHorizon, path: path))
  }

  private mutating func decideMarker(
    _ header: RecordBatchHeader, _ records: RawSpan, path: String
  ) throws(StorageFailure) -> Decision {
    guard let marker = TransactionMarker(header, records: records) else { return .keep }
    let isDeleted = header.lastOffset < logStartOffset
    guard transactions.takeMarker(marker, offset: header.baseOffset) || isDeleted else { return .keep }
    droppableMarkers.insert(header.baseOffset)
    if let last = producers[header.producerID], last.dataOffset == nil, last.epoch == header.producerEpoch {
      return .keep
    }
    if isDeleted { return .drop }
    guard header.attributes.contains(.deleteHorizon) else {
      var layouts: [RecordLayout] = []
      try reader.read(header, records, path: path) { layouts.append($1) }
      return .replace(try rebuild(header, records, keeping: layouts, setsHorizon: true, path: path))
    }
    return hasReachedHorizon(header) ? .drop : .keep
  }

  private func hasReachedHorizon(_ header: RecordBatchHeader) -> Bool {
    header.attributes.contains(.deleteHorizon) && header.baseTimestamp <= nowMilliseconds
  }

  /// A batch that only tells its producer's epoch and last sequence.
  private func emptied(_ header: RecordBatchHeader) -> Decision {
    if header.recordCount == 0, !header.attributes.contains(.transactional) { return .keep }
    var builder = RecordBatchBuilder(baseTimestamp: header.baseTimestamp)
    builder.header = header
    builder.header.attributes = header.attributes.with(codec: .none).subtracting(.transactional)
    builder.header.recordCount = 0
    return .replace(builder.finish())
  }

  /// The batch with fewer records or a delete horizon. Its offsets and sequence numbers stay: the last offset delta is
  /// that of the original, so that the last sequence number follows from it.
  private func rebuild(
    _ header: RecordBatchHeader, _ records: RawSpan, keeping survivors: [RecordLayout], setsHorizon: Bool, path: String
  ) throws(StorageFailure) -> [UInt8] {
    var builder = RecordBatchBuilder(baseTimestamp: header.baseTimestamp)
    builder.header = header
    builder.header.recordCount = 0
    if setsHorizon {
      let (horizon, overflows) = nowMilliseconds.addingReportingOverflow(deleteRetentionMilliseconds)
      builder.header.attributes.insert(.deleteHorizon)
      builder.header.baseTimestamp = overflows ? Int64.max : horizon
    }
    var next = 0
    try reader.read(header, records, path: path) { bytes, record in
      guard next < survivors.count, survivors[next].offsetDelta == record.offsetDelta else { return }
      next += 1
      builder.append(record, of: bytes, timestamp: header.baseTimestamp &+ record.timestampDelta)
    }
    builder.header.lastOffsetDelta = header.lastOffsetDelta
    do throws(CodecError) {
      return try builder.finish(compressor: compressor, codec: header.attributes.codec ?? .none)
    } catch {
      throw StorageFailure(operation: "compress a batch (\(error.detail)) of", path: path, code: 5)
    }
  }
}
