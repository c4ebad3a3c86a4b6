internal import Core
package import NIOCore

/// Where a batch is in the log.
package struct AppendResult: Equatable, Sendable {
  package var baseOffset: Int64
  package var lastOffset: Int64
  /// The time of append that the answer reports; -1 for topics with CreateTime.
  package var logAppendTimeMilliseconds: Int64
  /// The batch was stored before; the offsets are those of then.
  package var isDuplicate: Bool
}

extension PartitionLog {
  /// Checks and appends what a producer sent for this partition: exactly one batch.
  package func append(_ payload: ByteBuffer, nowMilliseconds: Int64) throws(LogError) -> AppendResult {
    try append(payload.readableBytesSpan, nowMilliseconds: nowMilliseconds)
  }

  /// The same for bytes that stand anywhere. They are not changed: the header that is stored is made beside them.
  package func append(_ payload: RawSpan, nowMilliseconds: Int64) throws(LogError) -> AppendResult {
    try ensureOnline()
    var header: RecordBatchHeader
    do {
      header = try resources.validator.validate(payload, rules: configuration, nowMilliseconds: nowMilliseconds)
    } catch {
      throw .batch(error)
    }
    guard header.sizeBytes <= configuration.segmentBytes else {
      throw .batchExceedsSegment(sizeBytes: header.sizeBytes, limitBytes: configuration.segmentBytes)
    }
    do {
      if case .duplicate(let batch) = try producers.decide(header) {
        return AppendResult(
          baseOffset: batch.firstOffset, lastOffset: batch.lastOffset,
          logAppendTimeMilliseconds: configuration.timestampType == .logAppendTime ? batch.timestamp : -1,
          isDuplicate: true)
      }
    } catch {
      throw .producer(error)
    }
    let records = payload.extracting(droppingFirst: RecordBatchHeader.sizeBytes)
    if case .codec(let codec) = configuration.compressionType, codec != header.attributes.codec {
      let recompressed = try recompress(&header, records, to: codec)
      try write(&header, records: unsafe recompressed.span.bytes, nowMilliseconds: nowMilliseconds)
    } else {
      try write(&header, records: records, nowMilliseconds: nowMilliseconds)
    }
    producers.apply(header, nowMilliseconds: nowMilliseconds)
    return AppendResult(
      baseOffset: header.baseOffset, lastOffset: header.lastOffset,
      logAppendTimeMilliseconds: configuration.timestampType == .logAppendTime ? header.maximumTimestamp : -1,
      isDuplicate: false)
  }

  /// Ends a producer's transaction in this partition.
  ///
  /// The coordinator may call it again after a crash: a marker without an open transaction takes an offset and changes
  /// nothing else.
  /// - Returns: the offset of the marker.
  @discardableResult
  package func append(_ marker: TransactionMarker, nowMilliseconds: Int64) throws(LogError) -> Int64 {
    try ensureOnline()
    do {
      try producers.decide(marker)
    } catch {
      throw .producer(error)
    }
    let batch = marker.batch(nowMilliseconds: nowMilliseconds)
    let bytes = unsafe batch.span.bytes
    guard var header = RecordBatchHeader(bytes) else { return logEndOffset }
    try write(
      &header, records: bytes.extracting(droppingFirst: RecordBatchHeader.sizeBytes), nowMilliseconds: nowMilliseconds)
    if let first = producers.apply(marker, nowMilliseconds: nowMilliseconds), marker.kind == .abort {
      aborted.append(
        AbortedTransaction(
          producerID: marker.producerID, firstOffset: first, lastOffset: header.baseOffset,
          lastStableOffset: producers.firstOpenOffset ?? logEndOffset))
    }
    return header.baseOffset
  }

  /// Assigns offsets and writes the batch at the end of the growing segment. Only when all of it is in the file does
  /// anything else know of it; when it is not, the file gets its old size back.
  private func write(
    _ header: inout RecordBatchHeader, records: RawSpan, nowMilliseconds: Int64
  ) throws(LogError) {
    try rollIfNeeded(for: header, nowMilliseconds: nowMilliseconds)
    header.baseOffset = logEndOffset
    header.partitionLeaderEpoch = 0
    let segment = active
    let file = try open(segment).file
    let encoded = header.encoded()
    let head = unsafe encoded.span.bytes
    if KillPoint.isDue(.logTornAppend) {
      try? file.write(head, records.extracting(first: records.byteCount / 2), at: segment.sizeBytes)
      KillPoint.die()
    }
    do {
      try file.write(head, records, at: segment.sizeBytes)
    } catch {
      try undoWrite(file, to: segment.sizeBytes, after: error)
    }
    KillPoint.pass(.logAfterAppend)
    segment.add(header, indexIntervalBytes: configuration.indexIntervalBytes)
  }

  private func undoWrite(_ file: LogFile, to size: Int, after failure: StorageFailure) throws(LogError) -> Never {
    do {
      try file.truncate(to: size)
    } catch {
      offlineReason = error
      throw .offline(error)
    }
    throw .storage(failure)
  }
}
