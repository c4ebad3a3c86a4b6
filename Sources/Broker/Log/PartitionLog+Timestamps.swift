/// A record's timestamp and offset, as ListOffsets answers them.
package struct TimestampOffset: Equatable, Sendable {
  package var timestamp: Int64
  package var offset: Int64
}

extension PartitionLog {
  /// The first record, by offset, whose timestamp is at least `timestamp`; also inside of compressed batches.
  /// - Returns: nil when there is none. A reader of committed records may see it only below the last stable offset.
  package func offset(forTimestamp timestamp: Int64) throws(LogError) -> TimestampOffset? {
    try ensureOnline()
    for segment in segments[segmentIndex(holding: logStartOffset)...]
    where segment.sizeBytes > 0 && segment.summary.maximumTimestamp >= timestamp {
      if let found = try firstRecord(in: segment, notBefore: timestamp) { return found }
    }
    return nil
  }

  /// The record with the largest timestamp (KIP-734), the first of them if there are several.
  /// - Returns: nil when the log is empty.
  package func offsetOfMaximumTimestamp() throws(LogError) -> TimestampOffset? {
    try ensureOnline()
    var newest: (timestamp: Int64, segment: LogSegment)?
    for segment in segments where segment.sizeBytes > 0 && segment.endOffset > logStartOffset {
      let timestamp = try maximumReadableTimestamp(of: segment)
      if timestamp >= 0, timestamp > newest?.timestamp ?? -1 { newest = (timestamp, segment) }
    }
    guard let newest else { return nil }
    return try firstRecord(in: newest.segment, notBefore: newest.timestamp)
  }

  /// The largest timestamp of a segment's records at or behind the log's start.
  private func maximumReadableTimestamp(of segment: LogSegment) throws(LogError) -> Int64 {
    guard segment.baseOffset < logStartOffset else { return segment.summary.maximumTimestamp }
    var newest: Int64 = -1
    guard let start = try position(of: logStartOffset, in: segment) else { return newest }
    let file = try open(segment).file
    var headers = BatchHeaders(file, from: start, end: segment.sizeBytes)
    while let (header, position) = try headers.next() {
      if header.baseOffset >= logStartOffset {
        newest = max(newest, header.maximumTimestamp)
      } else {
        try forEachRecord(of: header, at: position, file) { record in
          newest = max(newest, record.timestamp)
          return true
        }
      }
    }
    return newest
  }

  private func firstRecord(in segment: LogSegment, notBefore timestamp: Int64) throws(LogError) -> TimestampOffset? {
    let opened = try open(segment)
    var headers = BatchHeaders(
      opened.file, from: opened.index.position(ofTimestamp: timestamp), end: segment.sizeBytes)
    var found: TimestampOffset?
    while found == nil, let (header, position) = try headers.next() {
      guard header.lastOffset >= logStartOffset, header.maximumTimestamp >= timestamp else { continue }
      try forEachRecord(of: header, at: position, opened.file) { record in
        if record.timestamp >= timestamp { found = record }
        return found == nil
      }
    }
    return found
  }

  /// Looks at the records of a batch at or behind the log's start, until `body` has seen enough and returns false.
  private func forEachRecord(
    of header: RecordBatchHeader, at position: Int, _ file: LogFile, _ body: (TimestampOffset) -> Bool
  ) throws(LogError) {
    let count = header.sizeBytes - RecordBatchHeader.sizeBytes
    var scratch = resources.takeScratch(count)
    defer { resources.giveBack(scratch) }
    do throws(StorageFailure) {
      var elements = scratch.mutableSpan
      var bytes = unsafe elements.mutableBytes
      guard try file.read(count, into: &bytes, at: position + RecordBatchHeader.sizeBytes) == count else {
        throw StorageFailure(operation: "read", path: file.path, code: 5)
      }
    } catch {
      throw .storage(error)
    }
    let appendTime = header.attributes.contains(.logAppendTime) ? header.maximumTimestamp : nil
    do throws(RecordBatchError) {
      try resources.decompressor.withRecords(
        of: header, unsafe scratch.span.bytes.extracting(first: count), limit: resources.decompressionLimit
      ) { (records) throws(RecordBatchError) in
        var cursor = RecordCursor(records)
        for _ in 0..<header.recordCount {
          let record = try cursor.next()
          let offset = header.baseOffset &+ Int64(record.offsetDelta)
          let timestamp = appendTime ?? header.baseTimestamp &+ record.timestampDelta
          if offset >= logStartOffset, !body(TimestampOffset(timestamp: timestamp, offset: offset)) { return }
        }
      }
    } catch {
      throw .corrupt(path: file.path, position: position)
    }
  }
}
