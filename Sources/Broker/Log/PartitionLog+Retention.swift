extension PartitionLog {
  /// Moves the log's start: everything in front of it is gone for readers. Files go when all of their records are.
  /// - Parameter offset: at most the end of the log.
  package func deleteRecords(before offset: Int64) throws(LogError) {
    try ensureOnline()
    guard offset >= 0, offset <= logEndOffset else {
      throw .offsetOutOfRange(offset: offset, available: logStartOffset...logEndOffset)
    }
    guard offset > logStartOffset else { return }
    try advanceLogStart(to: offset)
    try removeSegmentsBelowLogStart()
  }

  /// Deletes the oldest segments as far as `retention.ms` and `retention.bytes` ask for it. The growing segment is
  /// closed first when it is due too.
  /// - Returns: how many segments were deleted.
  @discardableResult
  package func applyRetention(nowMilliseconds: Int64) throws(LogError) -> Int {
    try ensureOnline()
    var expired = configuration.cleanupPolicy.contains(.delete) ? expiredCount(nowMilliseconds: nowMilliseconds) : 0
    if expired == segments.count {
      do {
        try roll(nowMilliseconds: nowMilliseconds)
      } catch {
        // On a full disk the closed segments go first; that makes room for the next one.
        if expired == 1 { throw error }
        expired -= 1
      }
    }
    if expired > 0 { try advanceLogStart(to: segments[expired].baseOffset) }
    let before = segments.count
    try removeSegmentsBelowLogStart()
    return before - segments.count
  }

  /// How many segments from the oldest on are too old or too much.
  private func expiredCount(nowMilliseconds: Int64) -> Int {
    var count = 0
    var excess = configuration.retentionBytes >= 0 ? sizeBytes - configuration.retentionBytes : Int64.min
    for (index, segment) in segments.enumerated() where segment.sizeBytes > 0 {
      let isTooOld =
        configuration.retentionMilliseconds >= 0
        && nowMilliseconds &- segment.newestMilliseconds > configuration.retentionMilliseconds
      let isTooMuch = excess >= Int64(segment.sizeBytes)
      guard isTooOld || isTooMuch else { break }
      if excess != Int64.min { excess -= Int64(segment.sizeBytes) }
      count = index + 1
    }
    return count
  }

  private func advanceLogStart(to offset: Int64) throws(LogError) {
    guard offset > logStartOffset else { return }
    do {
      try LogCheckpoints(folder: folder).logStart.store(offset)
    } catch {
      throw .storage(error)
    }
    logStartOffset = offset
    aborted.removeAll(endingBefore: offset)
    KillPoint.pass(.retentionBeforeDelete)
  }

  /// Takes the segments that no reader can reach out of the log. Their files get another name here, which is quick, and
  /// are removed by the next flush, which may take its time.
  private func removeSegmentsBelowLogStart() throws(LogError) {
    while segments.count > 1, segments[1].baseOffset <= logStartOffset {
      let segment = segments[0]
      do {
        try LogFolder.remove(segment.indexPath)
        let condemned = segment.logPath + SegmentName.deletedSuffix
        try LogFolder.rename(segment.logPath, to: condemned)
        condemnedPaths.append(condemned)
      } catch {
        throw .storage(error)
      }
      resources.segments.forget(segment)
      unflushed.removeAll { $0 === segment }
      segments.removeFirst()
    }
  }
}
