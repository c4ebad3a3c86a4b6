internal import Core

extension PartitionLog {
  /// Closes the growing segment when its time by the broker's clock is over, also without a new batch.
  package func rollIfNeeded(nowMilliseconds: Int64) throws(LogError) {
    try ensureOnline()
    if active.sizeBytes > 0, nowMilliseconds &- active.createdMilliseconds > configuration.effectiveSegmentMilliseconds
    {
      try roll(nowMilliseconds: nowMilliseconds)
    }
  }

  func rollIfNeeded(for header: RecordBatchHeader, nowMilliseconds: Int64) throws(LogError) {
    let segment = active
    guard segment.sizeBytes > 0 else { return }
    let (size, overflows) = segment.sizeBytes.addingReportingOverflow(header.sizeBytes)
    let lastRelative = segment.endOffset &- segment.baseOffset &+ Int64(header.lastOffsetDelta)
    if overflows || size > configuration.segmentBytes || lastRelative > Int64(Int32.max)
      || age(of: segment, next: header.maximumTimestamp, nowMilliseconds) > configuration.effectiveSegmentMilliseconds
    {
      try roll(nowMilliseconds: nowMilliseconds)
    }
  }

  /// How much time the segment covers: from its first batch's timestamp to that of the next one, as Kafka counts; by
  /// the broker's clock where there are no timestamps.
  private func age(of segment: LogSegment, next timestamp: Int64, _ nowMilliseconds: Int64) -> Int64 {
    guard let first = segment.summary.firstTimestamp, first >= 0, timestamp >= 0 else {
      return nowMilliseconds &- segment.createdMilliseconds
    }
    return timestamp &- first
  }

  /// Closes the growing segment and starts the next one.
  ///
  /// The producers' snapshot is in its place before the first batch of the new segment, so that recovery needs nothing
  /// older than it.
  func roll(nowMilliseconds: Int64) throws(LogError) {
    let closing = active
    var summary = SegmentSummary(baseOffset: logEndOffset)
    summary.endOffset = logEndOffset
    do {
      try CheckedFile.replace(
        snapshotPath(logEndOffset), content: CheckedFile.frame(.producerSnapshot, producers.encoded()), durable: false,
        killPoint: .logDuringSnapshot)
      let opening = LogSegment(folder: folder, summary: summary, opened: nil, createdMilliseconds: nowMilliseconds)
      opening.opened = LogSegment.Opened(file: try LogFile(opening.logPath, .create), index: SegmentIndex())
      KillPoint.pass(.logDuringRoll)
      closing.needsIndexFile = true
      segments.append(opening)
    } catch {
      throw .storage(error)
    }
    unflushed.append(closing)
    resources.segments.adopt(closing)
  }

  func snapshotPath(_ offset: Int64) -> String {
    "\(folder)/\(SegmentName.stem(offset))\(SegmentName.snapshotSuffix)"
  }
}
