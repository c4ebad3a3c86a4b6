package import Core

extension PartitionLog {
  /// Writes down everything that opening would otherwise have to find out, and marks the folder as closed in order.
  ///
  /// The log must not be used afterwards. After a failure the next opening scans, as after a crash.
  package func close() throws(HeadraceError) {
    if let offlineReason { throw offlineReason.asHeadraceError }
    do throws(StorageFailure) {
      for path in condemnedPaths { try LogFolder.remove(path) }
      for segment in unflushed {
        let file = if let opened = segment.opened { opened.file } else { try LogFile(segment.logPath, .read) }
        try file.synchronize()
      }
      for segment in segments where segment.needsIndexFile || segment === active { try writeIndexFile(segment) }
      try active.opened?.file.synchronize()
      try CheckedFile.replace(
        snapshotPath(logEndOffset), content: CheckedFile.frame(.producerSnapshot, producers.encoded()), durable: true,
        killPoint: .logDuringSnapshot)
      let checkpoints = LogCheckpoints(folder: folder)
      try checkpoints.store(recoveryPoint: logEndOffset)
      try checkpoints.store(
        cleanShutdown: .init(
          endOffset: logEndOffset, activeBaseOffset: active.baseOffset, activeSizeBytes: Int64(active.sizeBytes)))
    } catch {
      throw error.asHeadraceError
    }
    for segment in segments { resources.segments.forget(segment) }
  }

  private func writeIndexFile(_ segment: LogSegment) throws(StorageFailure) {
    let index: SegmentIndex
    if let opened = segment.opened {
      index = opened.index
    } else {
      index = try SegmentIndex(scanning: LogFile(segment.logPath, .read), of: segment.summary, intervalBytes: configuration.indexIntervalBytes)
    }
    let content = SegmentIndexFile(summary: segment.summary, aborted: aborted(in: segment)).content(index: index)
    try CheckedFile.replace(segment.indexPath, content: content, durable: true)
    segment.needsIndexFile = false
  }

  /// The aborted transactions whose markers are in the segment.
  func aborted(in segment: LogSegment) -> [AbortedTransaction] {
    Array(aborted.entries(endingIn: segment.baseOffset..<max(segment.baseOffset, segment.endOffset)))
  }
}
