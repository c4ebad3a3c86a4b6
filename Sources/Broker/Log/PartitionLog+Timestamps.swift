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
      let start = try open(segment).index.position(ofTimestamp: timestamp)
      if let found = try firstRecord(in: segment, from: start, where: { $0 >= timestamp }) { return found }
    }
    return nil
  }

  /// The record with the largest timestamp (KIP-734), the first of them if there are several.
  /// - Returns: nil when the log is empty.
  package func offsetOfMaximumTimestamp() throws(LogError) -> TimestampOffset? {
    try ensureOnline()
    let readable = segments.filter { $0.sizeBytes > 0 && $0.endOffset > logStartOffset }
    // `max(by:)` would find the last of equals.
    guard let newest = readable.map(\.summary.maximumTimestamp).max(), newest >= 0,
      let segment = readable.first(where: { $0.summary.maximumTimestamp == newest })
    else { return nil }
    let start = try open(segment).index.position(ofTimestamp: newest)
    return try firstRecord(in: segment, from: start) { $0 == newest }
  }

  /// Looks into the batches from a position on for the first record at or behind the log's start that fits.
  private func firstRecord(
    in segment: LogSegment, from start: Int, where fits: (Int64) -> Bool
  ) throws(LogError) -> TimestampOffset? {
    let file = try open(segment).file
    var position = start
    while position < segment.sizeBytes {
      let header = try self.header(at: position, of: segment, file)
      if header.lastOffset >= logStartOffset, header.maximumTimestamp >= 0,
        let found = try firstRecord(of: header, at: position, in: segment, file, where: fits)
      {
        return found
      }
      position += header.sizeBytes
    }
    return nil
  }

  private func firstRecord(
    of header: RecordBatchHeader, at position: Int, in segment: LogSegment, _ file: LogFile, where fits: (Int64) -> Bool
  ) throws(LogError) -> TimestampOffset? {
    if header.attributes.contains(.logAppendTime) {
      guard fits(header.maximumTimestamp) else { return nil }
      return TimestampOffset(timestamp: header.maximumTimestamp, offset: max(header.baseOffset, logStartOffset))
    }
    // A batch whose largest timestamp does not fit may be skipped only where larger is better.
    let count = header.sizeBytes - RecordBatchHeader.sizeBytes
    var scratch = resources.takeScratch(count)
    defer { resources.giveBack(scratch) }
    do throws(StorageFailure) {
      var elements = scratch.mutableSpan
      var bytes = unsafe elements.mutableBytes
      let read = try file.read(count, into: &bytes, at: position + RecordBatchHeader.sizeBytes)
      guard read == count else { return nil }
    } catch {
      throw .storage(error)
    }
    let first = logStartOffset
    do {
      return try unsafe resources.decompressor.withRecords(
        of: header, scratch.span.bytes.extracting(first: count), limit: resources.decompressionLimit
      ) { (records) throws(RecordBatchError) in
        var cursor = RecordCursor(records)
        for _ in 0..<header.recordCount {
          let record = try cursor.next()
          let found = TimestampOffset(
            timestamp: header.baseTimestamp &+ record.timestampDelta,
            offset: header.baseOffset &+ Int64(record.offsetDelta))
          if found.offset >= first, fits(found.timestamp) { return found }
        }
        return nil
      }
    } catch {
      throw .corrupt(path: segment.logPath, position: position)
    }
  }
}
