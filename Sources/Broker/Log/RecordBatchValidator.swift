internal import Codecs

/// Checks what a producer sent before any of it is stored, so that no later reader has to fear a batch.
///
/// Keeps memory for decompression between calls; confined to one thread.
package final class RecordBatchValidator {
  private let decompressor = Decompressor()
  private let limit: DecompressionLimit

  /// - Parameter maximumExpandedBytes: the most that the records of a batch may decompress to.
  package init(maximumExpandedBytes: Int = 64 << 20) {
    limit = DecompressionLimit(maximumBytes: maximumExpandedBytes)
  }

  /// Checks the payload of one partition of a Produce request.
  /// - Returns: the header to store: its maximum timestamp and checksum made right, or set to the time of append.
  package func validate(
    _ payload: RawSpan, rules: LogConfiguration, nowMilliseconds: Int64
  ) throws(RecordBatchError) -> RecordBatchHeader {
    var header = try Self.validateFrame(payload, maximumBytes: rules.maxMessageBytes)
    try validateFields(header)
    let records = payload.extracting(droppingFirst: RecordBatchHeader.sizeBytes)
    let newest = try newestTimestamp(header, records, rules: rules, nowMilliseconds: nowMilliseconds)

    let sent = header
    // A horizon from a client would let compaction drop tombstones too early.
    header.attributes.remove(.deleteHorizon)
    switch rules.timestampType {
    case .createTime:
      header.attributes.remove(.logAppendTime)
      header.maximumTimestamp = newest
    case .logAppendTime:
      header.attributes.insert(.logAppendTime)
      header.maximumTimestamp = nowMilliseconds
    }
    if header != sent { header.checksum = header.computedChecksum(records: records) }
    return header
  }

  /// Length, format version and checksum of the one batch in `payload`.
  package static func validateFrame(
    _ payload: RawSpan, maximumBytes: Int
  ) throws(RecordBatchError) -> RecordBatchHeader {
    guard payload.byteCount > 0 else { throw .empty }
    guard payload.byteCount > 16 else { throw .badLength(declared: 0, available: payload.byteCount) }
    let magic: Int8 = payload.bigEndian(at: 16)
    guard magic == RecordBatchHeader.currentMagic else { throw .unsupportedMagic(magic) }
    guard let header = RecordBatchHeader(payload) else {
      throw .badLength(declared: 0, available: payload.byteCount)
    }
    guard header.sizeBytes >= RecordBatchHeader.sizeBytes, header.sizeBytes <= payload.byteCount else {
      throw .badLength(declared: header.sizeBytes, available: payload.byteCount)
    }
    guard header.sizeBytes == payload.byteCount else {
      throw .trailingBytes(payload.byteCount - header.sizeBytes)
    }
    guard header.sizeBytes <= maximumBytes else {
      throw .tooLarge(sizeBytes: header.sizeBytes, limitBytes: maximumBytes)
    }
    let computed = payload.extracting(droppingFirst: RecordBatchHeader.checkedFrom).crc32c()
    guard computed == header.checksum else {
      throw .badChecksum(declared: header.checksum, computed: computed)
    }
    return header
  }

  private func validateFields(_ header: RecordBatchHeader) throws(RecordBatchError) {
    guard !header.attributes.contains(.control) else { throw .controlBatchFromClient }
    guard header.recordCount > 0, header.lastOffsetDelta == header.recordCount - 1 else {
      throw .badCount(records: header.recordCount, lastOffsetDelta: header.lastOffsetDelta)
    }
    if header.hasProducerID {
      guard header.baseSequence >= 0, header.producerEpoch >= 0 else { throw .missingSequence }
    } else if header.attributes.contains(.transactional) {
      throw .transactionWithoutProducerID
    }
    guard header.attributes.codec != nil else { throw .unknownCodec }
  }

  /// Checks every record; the largest timestamp among them.
  private func newestTimestamp(
    _ header: RecordBatchHeader, _ records: RawSpan, rules: LogConfiguration, nowMilliseconds: Int64
  ) throws(RecordBatchError) -> Int64 {
    try decompressor.withRecords(of: header, records, limit: limit) { (records) throws(RecordBatchError) in
      try Self.validateRecords(records, of: header, rules: rules, nowMilliseconds: nowMilliseconds)
    }
  }

  private static func validateRecords(
    _ records: RawSpan, of header: RecordBatchHeader, rules: LogConfiguration, nowMilliseconds: Int64
  ) throws(RecordBatchError) -> Int64 {
    let allowed = rules.allowedTimestamps(nowMilliseconds: nowMilliseconds)
    let keysRequired = rules.cleanupPolicy.contains(.compact)
    var cursor = RecordCursor(records)
    var newest: Int64 = -1
    for index in 0..<header.recordCount {
      let record = try cursor.next()
      guard record.offsetDelta == index else { throw .badOffsetDelta(index: index) }
      if keysRequired, record.key == nil { throw .missingKey(index: index) }
      let timestamp = header.baseTimestamp &+ record.timestampDelta
      if timestamp != -1, !allowed.contains(timestamp) {
        throw .timestampOutOfRange(index: index, timestamp: timestamp)
      }
      newest = max(newest, timestamp)
    }
    guard cursor.isAtEnd else { throw .malformedRecord(index: header.recordCount) }
    return newest
  }
}
