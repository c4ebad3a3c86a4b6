package import Core

extension PartitionLog {
  /// Writes down everything that opening would otherwise have to find out, and marks the folder as closed in order.
  ///
  /// The log must not be used afterwards. After a failure the next opening scans, as after a crash.
  package func close() throws(HeadraceError) {
    if let offlineReason { throw offlineReason.asHeadraceError }
    do throws(StorageFailure) {
      for path in condemnedPaths { try LogFolder.remove(path) }
      for segment in unflushed { try closed(segment).open().synchronize() }
      try active.opened?.file.synchronize()
      for segment in segments where segment.needsIndexFile || segment === active {
        try closed(segment).writeIndexFile(intervalBytes: configuration.indexIntervalBytes)
      }
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
}
