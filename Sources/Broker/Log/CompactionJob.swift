package import Core

/// The part of a compaction that reads and writes files: a value that any thread may run, while the log goes on. It
/// touches no file of the log; what it writes counts only when its manifest is in place, and is used from
/// `PartitionLog.apply` on.
package struct CompactionJob: Sendable {
  /// A closed segment below the last stable offset.
  struct Source: Sendable, Equatable {
    var logPath: String
    var summary: SegmentSummary
  }

  /// What a producer wrote last: compaction keeps it, if need be without records, so that a log that is read back from
  /// its start knows epoch and sequence.
  struct LastEntry: Sendable, Equatable {
    var epoch: Int16
    /// nil: a marker was its last entry in this epoch.
    var dataOffset: Int64?
  }

  let folder: String
  /// From the start of the log on.
  let sources: [Source]
  /// Keys from here on are not known to be unique.
  let firstDirtyOffset: Int64
  /// What lies below was deleted for readers; nothing is known of its transactions any more.
  let logStartOffset: Int64
  let aborted: [AbortedTransaction]
  let producers: [Int64: LastEntry]
  let configuration: LogConfiguration
  let nowMilliseconds: Int64
  /// Memory for keys; the job ends earlier in the log rather than exceed it by more than a segment's keys.
  var maximumKeyBytes = 32 << 20

  package func run() throws(HeadraceError) -> CompactionResult {
    do throws(StorageFailure) {
      var keys = CompactionKeyMap()
      let count = try collect(&keys)
      var filter = CompactionFilter(job: self, keys: keys)
      var groups: [CompactionResult.Group] = []
      var next = 0
      while next < count {
        let (group, end) = try compact(from: next, upTo: count, &filter)
        if let group { groups.append(group) }
        next = end
      }
      let result = CompactionResult(
        groups: groups, cleanedUpTo: sources[..<count].last?.summary.endOffset ?? firstDirtyOffset,
        droppedMarkers: filter.droppableMarkers)
      if !groups.isEmpty {
        try LogFolder.synchronize(folder)
        KillPoint.pass(.compactionBeforeSwap)
        try CompactionManifest(groups: groups.map(\.replaced)).store(in: folder)
      }
      return result
    } catch {
      throw error.asHeadraceError
    }
  }

  /// Fills the map with the keys of the dirty segments.
  /// - Returns: how many sources, from the first on, it covers.
  private func collect(_ keys: inout CompactionKeyMap) throws(StorageFailure) -> Int {
    var transactions = CompactionTransactions(aborted: aborted)
    var isFirst = true
    for (index, source) in sources.enumerated() where source.summary.endOffset > firstDirtyOffset {
      if !isFirst, keys.sizeBytes > maximumKeyBytes { return index }
      isFirst = false
      try collect(source, &keys, &transactions)
    }
    return sources.count
  }

  private func collect(
    _ source: Source, _ keys: inout CompactionKeyMap, _ transactions: inout CompactionTransactions
  ) throws(StorageFailure) {
    let reader = RecordReader()
    var scanner = SegmentScanner(try LogFile(source.logPath, .read), end: source.summary.sizeBytes)
    while case .batch(let header, _) = try scanner.next(checksums: true) {
      if header.attributes.contains(.control) || transactions.takeData(header) { continue }
      try reader.read(header, scanner.records, path: source.logPath) { records, record in
        if let key = record.key {
          keys.store(records, key, offset: header.baseOffset &+ Int64(record.offsetDelta))
        }
      }
    }
  }

  /// Writes what is left of a segment, and of as many of its neighbours as fit with it, into one new segment.
  /// - Returns: nil in place of a group when nothing changed; the index of the first segment that is not in it.
  private func compact(
    from start: Int, upTo count: Int, _ filter: inout CompactionFilter
  ) throws(StorageFailure) -> (group: CompactionResult.Group?, end: Int) {
    let base = sources[start].summary.baseOffset
    let stem = "\(folder)/\(SegmentName.stem(base))"
    let writer = SegmentWriter(
      stem + SegmentName.logSuffix + SegmentName.cleanedSuffix, baseOffset: base,
      origin: try LogFile(sources[start].logPath, .read), indexIntervalBytes: configuration.indexIntervalBytes)
    try copy(sources[start], to: writer, &filter)
    var end = start + 1
    while end < count, fits(sources[end].summary, into: writer.summary) {
      try writer.diverge()
      try copy(sources[end], to: writer, &filter)
      end += 1
    }
    guard writer.isWritten else { return (nil, end) }
    try writer.finish()
    let summary = writer.summary
    let kept = aborted.filter {
      base <= $0.lastOffset && $0.lastOffset < summary.endOffset && !filter.droppableMarkers.contains($0.lastOffset)
    }
    try CheckedFile.replace(
      stem + SegmentName.indexSuffix + SegmentName.cleanedSuffix,
      content: SegmentIndexFile(summary: summary, aborted: kept).content(index: writer.index), durable: true)
    return (CompactionResult.Group(replaced: sources[start..<end].map(\.summary.baseOffset), summary: summary), end)
  }

  private func fits(_ next: SegmentSummary, into written: SegmentSummary) -> Bool {
    written.sizeBytes + next.sizeBytes <= configuration.segmentBytes
      && next.endOffset &- written.baseOffset <= Int64(Int32.max)
  }

  private func copy(
    _ source: Source, to writer: SegmentWriter, _ filter: inout CompactionFilter
  ) throws(StorageFailure) {
    var scanner = SegmentScanner(try LogFile(source.logPath, .read), end: source.summary.sizeBytes)
    var step = try scanner.next(checksums: true)
    while case .batch(let header, _) = step {
      switch try filter.decide(header, scanner.records, path: source.logPath) {
      case .keep: try writer.append(header, scanner.batch)
      case .drop: try writer.diverge()
      case .replace(let bytes):
        try writer.diverge()
        let batch = unsafe bytes.span.bytes
        if let header = RecordBatchHeader(batch) { try writer.append(header, batch) }
      }
      step = try scanner.next(checksums: true)
    }
    // Damaged input must not be compacted away.
    guard step == .end else { throw StorageFailure(operation: "compact", path: source.logPath, code: 5) }
  }
}
