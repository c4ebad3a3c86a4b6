extension PartitionLog {
  /// What has to be brought to the disk; nil when everything is there. Run one at a time, and tell `flushed` of it.
  package func flushJob() -> FlushJob? {
    guard offlineReason == nil,
      recoveryPoint < logEndOffset || !unflushed.isEmpty || !condemnedPaths.isEmpty
    else { return nil }
    return FlushJob(
      folder: folder, closed: unflushed.map(closed), growing: active.opened?.file,
      indexIntervalBytes: configuration.indexIntervalBytes,
      snapshotPaths: segments.suffix(2).map { snapshotPath($0.baseOffset) },
      oldestSnapshot: segments[max(0, segments.count - 2)].baseOffset, condemnedPaths: condemnedPaths,
      recoveryPoint: logEndOffset)
  }

  /// A segment as a job on another thread needs it.
  func closed(_ segment: LogSegment) -> FlushJob.Closed {
    let range = segment.baseOffset..<max(segment.baseOffset, segment.endOffset)
    return FlushJob.Closed(
      stem: segment.stem,
      description: SegmentIndexFile(summary: segment.summary, aborted: Array(aborted.entries(endingIn: range))),
      needsIndexFile: segment.needsIndexFile, file: segment.opened?.file, index: segment.opened?.index)
  }

  /// Takes in how a flush went.
  /// - Throws: `offline` when the disk did not take the data: the log then refuses everything until it is opened anew,
  ///   since the
  ///   kernel may have dropped what it could not write, and a second attempt would report success.
  package func flushed(_ result: FlushResult) throws(LogError) {
    if let failure = result.failure {
      offlineReason = failure
      throw .offline(failure)
    }
    recoveryPoint = max(recoveryPoint, result.recoveryPoint)
    condemnedPaths.removeAll { result.condemnedPaths.contains($0) }
    for segment in unflushed where result.segmentBases.contains(segment.baseOffset) { segment.needsIndexFile = false }
    unflushed.removeAll { result.segmentBases.contains($0.baseOffset) }
  }
}
