internal import Core
internal import Glibc

extension LogRecovery {
  /// Reads a segment batch by batch and takes it into segments, producers and aborted transactions.
  /// - Parameter behind: the base offsets of the segments behind it.
  mutating func scan(_ baseOffset: Int64, behind: ArraySlice<Int64>, hasIndexFile: Bool) throws {
    let path = "\(folder)/\(SegmentName.stem(baseOffset))\(SegmentName.logSuffix)"
    let file = try LogFile(path, .readWrite)
    let size = try file.size()
    let segment = LogSegment(
      folder: folder, summary: SegmentSummary(baseOffset: baseOffset),
      opened: LogSegment.Opened(file: file, index: SegmentIndex()), createdMilliseconds: nowMilliseconds)
    var scanner = SegmentScanner(file, end: size)
    var broken: (position: Int, isCutOff: Bool)?
    scanning: while broken == nil {
      switch try scanner.next(checksums: segment.endOffset >= recoveryPoint) {
      case .batch(let header, let position):
        guard isInOrder(header, in: segment, next: behind.first) else {
          broken = (position, false)
          continue
        }
        take(header, records: scanner.records)
        segment.add(header, indexIntervalBytes: configuration.indexIntervalBytes)
      case .bad(let position, let isCutOff): broken = (position, isCutOff)
      case .end: break scanning
      }
    }
    report.scannedBytes += segment.sizeBytes
    if let broken { try cut(segment, file, at: broken.position, size: size, isCutOff: broken.isCutOff, behind: behind) }
    close(segment, isLast: behind.isEmpty, hasIndexFile: hasIndexFile)
  }

  /// Offsets only grow; in the segment that was growing, which was never compacted, there are no gaps either. The check
  /// matters because a batch's checksum does not cover its offset.
  private func isInOrder(_ header: RecordBatchHeader, in segment: LogSegment, next: Int64?) -> Bool {
    guard let next else { return header.baseOffset == segment.endOffset }
    return header.baseOffset >= segment.endOffset && header.endOffset <= next
  }

  private mutating func close(_ segment: LogSegment, isLast: Bool, hasIndexFile: Bool) {
    segments.append(segment)
    if isLast {
      if segment.endOffset < recoveryPoint { report.lostFlushedData = true }
      recoveryPoint = min(recoveryPoint, segment.endOffset)
    } else {
      segment.opened = nil
      segment.needsIndexFile = !hasIndexFile
      if !hasIndexFile || segment.endOffset > recoveryPoint { unflushed.append(segment) }
    }
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

  /// Cuts a broken end, or refuses to go on: below the recovery point the disk once had the data, and in front of other
  /// segments a cut would throw them away.
  private mutating func cut(
    _ segment: LogSegment, _ file: LogFile, at position: Int, size: Int, isCutOff: Bool, behind: ArraySlice<Int64>
  ) throws {
    let isEnd = try behind.allSatisfy {
      try LogFolder.size(of: "\(folder)/\(SegmentName.stem($0))\(SegmentName.logSuffix)") == 0
    }
    guard isEnd, isCutOff || segment.endOffset >= recoveryPoint else {
      throw HeadraceError(
        .external, "LOG_CORRUPT",
        "no valid record batch at byte \(position) of \(size), behind offset \(segment.endOffset)",
        place: segment.logPath,
        remedy:
          "restore the file from a copy; or, to go on without what follows, cut it to \(position) bytes and move the "
          + "segments with larger offsets out of the folder")
    }
    try removeSnapshots(behind: segment.endOffset)
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
