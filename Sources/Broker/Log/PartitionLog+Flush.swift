extension PartitionLog {
  /// What has to be brought to the disk; nil when everything is there. Run one at a time, and tell `flushed` of it.
  package func flushJob() -> FlushJob? {
    guard offlineReason == nil,
      recoveryPoint < logEndOffset || !unflushed.isEmpty || !condemnedPaths.isEmpty
    else { return nil }
    var data: [LogFile] = []
    var indexFiles: [FlushJob.IndexFile] = []
    for segment in unflushed {
      // A segment that cannot be opened stays for the next flush, and so does everything behind it.
      guard let opened = try? open(segment) else { return nil }
      data.append(opened.file)
      if segment.needsIndexFile {
        indexFiles.append(
          FlushJob.IndexFile(
            path: segment.indexPath, content: SegmentIndexFile(summary: segment.summary, aborted: aborted(in: segment)),
            index: opened.index, segmentBase: segment.baseOffset))
      }
    }
    if let file = active.opened?.file { data.append(file) }
    return FlushJob(
      folder: folder, data: data, indexFiles: indexFiles, segmentBases: unflushed.map(\.baseOffset),
      snapshotPaths: segments.suffix(2).map { snapshotPath($0.baseOffset) },
      oldestSnapshot: segments[max(0, segments.count - 2)].baseOffset, condemnedPaths: condemnedPaths,
      recoveryPoint: logEndOffset)
  }

  /// Takes in how a flush went.
  /// - Throws: `offline` when the disk did not take the data: the log then refuses everything until it is opened anew, since the
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
