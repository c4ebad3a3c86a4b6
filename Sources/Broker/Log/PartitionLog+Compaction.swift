extension PartitionLog {
  /// What compaction has to do now; nil when the topic is not compacted or there is too little to gain. Run one job at
  /// a time.
  ///
  /// Closes the growing segment if its time is over, since only closed ones are compacted.
  package func compactionJob(nowMilliseconds: Int64) -> CompactionJob? {
    guard configuration.cleanupPolicy.contains(.compact), offlineReason == nil else { return nil }
    // A log that cannot be rolled now is compacted up to where it is closed.
    try? rollIfNeeded(nowMilliseconds: nowMilliseconds)
    let sources = cleanable(nowMilliseconds: nowMilliseconds)
    var cleanBytes: Int64 = 0
    var dirtyBytes: Int64 = 0
    var oldestDirty: Int64?
    for segment in sources {
      if segment.endOffset <= cleanedUpTo {
        cleanBytes += Int64(segment.sizeBytes)
      } else {
        dirtyBytes += Int64(segment.sizeBytes)
        oldestDirty = oldestDirty ?? segment.summary.firstTimestamp
      }
    }
    guard dirtyBytes > 0 else { return nil }
    let lag = configuration.maxCompactionLagMilliseconds
    let isOverdue = lag != .max && nowMilliseconds &- (oldestDirty ?? nowMilliseconds) > lag
    let ratio = Double(dirtyBytes) / Double(cleanBytes + dirtyBytes)
    guard isOverdue || ratio > configuration.minCleanableDirtyRatio else { return nil }
    return CompactionJob(
      folder: folder, sources: sources.map { .init(logPath: $0.logPath, summary: $0.summary) },
      firstDirtyOffset: max(cleanedUpTo, logStartOffset), logStartOffset: logStartOffset, aborted: aborted.entries,
      producers: producers.producers.mapValues { .init(epoch: $0.epoch, dataOffset: $0.recent.last?.lastOffset) },
      configuration: configuration, nowMilliseconds: nowMilliseconds)
  }

  /// The closed segments of which everything is decided and old enough.
  private func cleanable(nowMilliseconds: Int64) -> [LogSegment] {
    var cleanable: [LogSegment] = []
    for segment in segments.dropLast() {
      guard segment.endOffset <= lastStableOffset,
        configuration.minCompactionLagMilliseconds == 0
          || nowMilliseconds &- segment.newestMilliseconds >= configuration.minCompactionLagMilliseconds
      else { break }
      cleanable.append(segment)
    }
    return cleanable
  }

  /// Puts what a compaction wrote in place of the originals.
  ///
  /// A result that does not fit the log any more, since records were deleted meanwhile, is thrown away.
  package func apply(_ result: CompactionResult) throws(LogError) {
    try ensureOnline()
    do throws(StorageFailure) {
      let bases = Set(segments.map(\.baseOffset))
      guard result.groups.allSatisfy({ $0.replaced.allSatisfy(bases.contains) }) else {
        try CompactionManifest.remove(from: folder)
        return
      }
      for group in result.groups { try exchange(group) }
      if !result.groups.isEmpty { try CompactionManifest.remove(from: folder) }
      aborted.removeAll { result.droppedMarkers.contains($0.lastOffset) }
      cleanedUpTo = result.cleanedUpTo
      try LogCheckpoints(folder: folder).store(cleanedUpTo: cleanedUpTo)
    } catch {
      // Some files may be exchanged and others not: only opening the log anew tells.
      offlineReason = error
      throw .offline(error)
    }
  }

  private func exchange(_ group: CompactionResult.Group) throws(StorageFailure) {
    guard let first = segments.firstIndex(where: { $0.baseOffset == group.replaced.first }) else { return }
    let range = first..<(first + group.replaced.count)
    for segment in segments[range] {
      resources.segments.forget(segment)
      unflushed.removeAll { $0 === segment }
    }
    try CompactionManifest.exchange(group.replaced, in: folder)
    let compacted = LogSegment(
      folder: folder, summary: group.summary, opened: nil, createdMilliseconds: segments[first].createdMilliseconds)
    segments.replaceSubrange(range, with: [compacted])
    readHints.removeAll()
  }
}
