internal import Core
internal import Glibc

extension LogRecovery {
  /// Reads a segment batch by batch and takes it into segments, producers and aborted transactions.
  /// - Parameter next: the base offset of the segment behind it; nil for the last one, whose broken end is cut.
  mutating func scan(baseOffset: Int64, next: Int64?) throws {
    let path = "\(folder)/\(SegmentName.stem(baseOffset))\(SegmentName.logSuffix)"
    let file = try LogFile(path, .readWrite)
    let size = try file.size()
    let segment = LogSegment(
      folder: folder, summary: SegmentSummary(baseOffset: baseOffset),
      opened: LogSegment.Opened(file: file, index: SegmentIndex()), createdMilliseconds: nowMilliseconds)
    var scanner = SegmentScanner(file, end: size)
    scanning: while true {
      let step = try scanner.next(checksums: segment.endOffset >= recoveryPoint)
      switch step {
      case .batch(let header, _) where header.baseOffset >= segment.endOffset && header.endOffset <= next ?? .max:
        take(header, records: scanner.records)
        segment.add(header, indexIntervalBytes: configuration.indexIntervalBytes)
      case .batch(_, let position):
        try end(segment, file, at: position, size: size, isCutOff: false, isLast: next == nil)
        break scanning
      case .bad(let position, let isCutOff):
        try end(segment, file, at: position, size: size, isCutOff: isCutOff, isLast: next == nil)
        break scanning
      case .end: break scanning
      }
    }
    report.scannedBytes += segment.sizeBytes
    if next != nil {
      segment.opened = nil
      segment.needsIndexFile = true
    } else if segment.endOffset < recoveryPoint {
      report.lostFlushedData = true
      recoveryPoint = segment.endOffset
    }
    if next != nil { unflushed.append(segment) }
    segments.append(segment)
  }

  private mutating func take(_ header: RecordBatchHeader, records: RawSpan) {
    guard header.attributes.contains(.control) else {
      producers.apply(header, nowMilliseconds: nowMilliseconds)
      return
    }
    guard let marker = TransactionMarker(header, records: records) else { return }
    let first = producers.apply(marker, nowMilliseconds: nowMilliseconds)
    if let first, marker.kind == .abort {
      aborted.append(
        AbortedTransaction(
          producerID: marker.producerID, firstOffset: first, lastOffset: header.baseOffset,
          lastStableOffset: producers.firstOpenOffset ?? header.endOffset))
    }
  }

  /// No batch begins at `position`: cuts the last segment there, or refuses to go on.
  private mutating func end(
    _ segment: LogSegment, _ file: LogFile, at position: Int, size: Int, isCutOff: Bool, isLast: Bool
  ) throws {
    guard isLast, isCutOff || segment.endOffset >= recoveryPoint else {
      throw HeadraceError(
        .external, "LOG_CORRUPT", "no valid record batch at byte \(position) of \(size), behind offset \(segment.endOffset)",
        place: segment.logPath,
        remedy: "restore the file from a copy; or, to go on without what follows, cut it to \(position) bytes and move the "
          + "segments with larger offsets out of the folder")
    }
    try file.truncate(to: position)
    report.truncatedBytes += size - position
    report.truncatedFile = segment.logPath
  }

  /// The last segment becomes the growing one; a log without any begins with an empty one.
  mutating func ensureGrowingSegment() throws(StorageFailure) {
    if let last = segments.last, last.endOffset < logStartOffset {
      // Power was lost after records were deleted up to an offset that the disk never got: nothing readable is left.
      for segment in segments {
        try LogFolder.remove(segment.indexPath)
        try LogFolder.remove(segment.logPath)
      }
      segments = []
      unflushed = []
    }
    guard segments.isEmpty else { return }
    let segment = LogSegment(
      folder: folder, summary: SegmentSummary(baseOffset: logStartOffset), opened: nil,
      createdMilliseconds: nowMilliseconds)
    segment.opened = LogSegment.Opened(file: try LogFile(segment.logPath, .create), index: SegmentIndex())
    segments = [segment]
  }
}
