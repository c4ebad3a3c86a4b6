package import NIOCore

/// Up to where a reader may see.
package enum LogIsolation: Sendable {
  /// read_uncommitted: up to the end of the log.
  case highWatermark
  /// read_committed: up to the last stable offset.
  case lastStable
}

/// What a read put into its buffer.
package struct LogReadResult: Equatable, Sendable {
  package var sizeBytes: Int
  /// One past the last offset in the returned batches; the offset asked for when there are none.
  package var endOffset: Int64
}

extension PartitionLog {
  /// Appends whole batches to a buffer, as they stand in the file, beginning with the one that holds the offset.
  ///
  /// A read ends with its segment. Control batches are among the batches: the client skips them.
  /// - Parameters:
  ///   - maximumBytes: what may be appended.
  ///   - minimumOneBatch: append the first batch even if it is larger (KIP-74).
  /// - Throws: `offsetOutOfRange` outside of log start to log end.
  package func read(
    from offset: Int64, maximumBytes: Int, isolation: LogIsolation, minimumOneBatch: Bool, into buffer: inout ByteBuffer
  ) throws(LogError) -> LogReadResult {
    try ensureOnline()
    guard offset >= logStartOffset, offset <= logEndOffset else {
      throw .offsetOutOfRange(offset: offset, available: logStartOffset...logEndOffset)
    }
    let limit = isolation == .lastStable ? lastStableOffset : logEndOffset
    var index = segmentIndex(holding: offset)
    while offset < limit, index < segments.count, segments[index].baseOffset < limit {
      let segment = segments[index]
      if let position = try position(of: offset, in: segment) {
        return try read(
          segment, from: position, offset: offset, limit: limit, maximumBytes: maximumBytes,
          minimumOneBatch: minimumOneBatch, into: &buffer)
      }
      index += 1
    }
    return LogReadResult(sizeBytes: 0, endOffset: offset)
  }

  private func read(
    _ segment: LogSegment, from position: Int, offset: Int64, limit: Int64, maximumBytes: Int, minimumOneBatch: Bool,
    into buffer: inout ByteBuffer
  ) throws(LogError) -> LogReadResult {
    let file = try open(segment).file
    let available = segment.sizeBytes - position
    let start = buffer.writerIndex
    // At least a header, to see how long the first batch is.
    let wanted = min(available, max(maximumBytes, RecordBatchHeader.sizeBytes))
    try append(file, from: position, count: wanted, to: &buffer)
    var extent = BatchExtent(buffer, from: start, limit: limit, endOffset: offset)
    if extent.sizeBytes == 0, minimumOneBatch, let missing = extent.missingBytes, missing <= available - wanted {
      try append(file, from: position + wanted, count: missing, to: &buffer)
      extent = BatchExtent(buffer, from: start, limit: limit, endOffset: offset)
    } else if extent.sizeBytes > maximumBytes, !minimumOneBatch {
      extent.sizeBytes = 0
      extent.endOffset = offset
    }
    buffer.moveWriterIndex(to: start + extent.sizeBytes)
    if extent.isCorrupt { throw .corrupt(path: segment.logPath, position: position + extent.sizeBytes) }
    if extent.sizeBytes > 0 {
      readHints.remember(
        offset: extent.endOffset, segmentBase: segment.baseOffset, position: position + extent.sizeBytes)
    }
    return LogReadResult(sizeBytes: extent.sizeBytes, endOffset: extent.endOffset)
  }

  private func append(_ file: LogFile, from position: Int, count: Int, to buffer: inout ByteBuffer) throws(LogError) {
    var failure: StorageFailure?
    let read = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
      do throws(StorageFailure) {
        return try unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]), at: position)
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw .storage(failure) }
    guard read == count else { throw .corrupt(path: file.path, position: position + read) }
  }

  /// Where the first batch starts that ends behind the offset; nil when the segment has none.
  func position(of offset: Int64, in segment: LogSegment) throws(LogError) -> Int? {
    guard offset < segment.endOffset else { return nil }
    if let hint = readHints.position(of: offset, segmentBase: segment.baseOffset), hint < segment.sizeBytes {
      return hint
    }
    let opened = try open(segment)
    var headers = BatchHeaders(
      opened.file, from: opened.index.position(atOrBefore: max(0, offset &- segment.baseOffset)), end: segment.sizeBytes
    )
    while let batch = try headers.next() {
      if batch.header.lastOffset >= offset { return batch.position }
    }
    return nil
  }
}

/// How many of the bytes that were read are whole batches in front of the limit.
private struct BatchExtent {
  var sizeBytes = 0
  var endOffset: Int64
  /// What is missing of the first batch, when it is not whole.
  var missingBytes: Int?
  var isCorrupt = false

  init(_ buffer: ByteBuffer, from start: Int, limit: Int64, endOffset: Int64) {
    self.endOffset = endOffset
    let bytes = buffer.readableBytesSpan.extracting(droppingFirst: start - buffer.readerIndex)
    while let header = RecordBatchHeader(bytes.extracting(droppingFirst: sizeBytes)), header.baseOffset < limit {
      guard header.sizeBytes >= RecordBatchHeader.sizeBytes else {
        isCorrupt = true
        return
      }
      let missing = header.sizeBytes - (bytes.byteCount - sizeBytes)
      if missing > 0 {
        if sizeBytes == 0 { missingBytes = missing }
        return
      }
      sizeBytes += header.sizeBytes
      self.endOffset = header.endOffset
    }
  }
}
