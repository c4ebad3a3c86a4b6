package import Core

/// The part of a compaction that reads and writes files: a value that any thread may run, while the log goes on. It touches no file of
/// the log; what it writes counts only when its manifest is in place, and is used from `PartitionLog.apply` on.
package struct CompactionJob: Sendable {
  /// A closed segment below the last stable offset.
  struct Source: Sendable, Equatable {
    var logPath: String
    var summary: SegmentSummary
  }

  /// What a producer wrote last: compaction keeps it, if need be without records, so that a log that is read back from its start
  /// knows epoch and sequence.
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
      for range in Self.groups(sources[..<count], segmentBytes: configuration.segmentBytes) {
        if let group = try compact(Array(sources[range]), &filter) { groups.append(group) }
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

  /// Writes what is left of some neighbours into one new segment.
  /// - Returns: nil when nothing changed.
  private func compact(
    _ sources: [Source], _ filter: inout CompactionFilter
  ) throws(StorageFailure) -> CompactionResult.Group? {
    guard let first = sources.first else { return nil }
    let stem = "\(folder)/\(SegmentName.stem(first.summary.baseOffset))"
    let writer = try SegmentWriter(
      stem + SegmentName.logSuffix + SegmentName.cleanedSuffix, baseOffset: first.summary.baseOffset,
      indexIntervalBytes: configuration.indexIntervalBytes)
    var isChanged = sources.count > 1
    for source in sources {
      var scanner = SegmentScanner(try LogFile(source.logPath, .read), end: source.summary.sizeBytes)
      var step = try scanner.next(checksums: true)
      while case .batch(let header, _) = step {
        switch try filter.decide(header, scanner.records, path: source.logPath) {
        case .keep: try writer.append(header, scanner.batch)
        case .drop: isChanged = true
        case .replace(let bytes):
          isChanged = true
          try writer.append(unsafe bytes.span.bytes)
        }
        step = try scanner.next(checksums: true)
      }
      // Damaged input must not be compacted away.
      guard step == .end else { throw StorageFailure(operation: "compact", path: source.logPath, code: 5) }
    }
    guard isChanged else {
      try LogFolder.remove(writer.file.path)
      return nil
    }
    try writer.finish()
    let summary = writer.summary
    let kept = aborted.filter {
      summary.baseOffset <= $0.lastOffset && $0.lastOffset < summary.endOffset
        && !filter.droppableMarkers.contains($0.lastOffset)
    }
    try CheckedFile.replace(
      stem + SegmentName.indexSuffix + SegmentName.cleanedSuffix,
      content: SegmentIndexFile(summary: summary, aborted: kept).content(index: writer.index), durable: true)
    return CompactionResult.Group(replaced: sources.map(\.summary.baseOffset), summary: summary)
  }

  /// Neighbours that fit one segment together.
  private static func groups(_ sources: ArraySlice<Source>, segmentBytes: Int) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var start = sources.startIndex
    var size = 0
    for index in sources.indices {
      let next = sources[index].summary
      let spansTooMuch = next.endOffset &- sources[start].summary.baseOffset > Int64(Int32.max)
      if index > start, size + next.sizeBytes > segmentBytes || spansTooMuch {
        groups.append(start..<index)
        start = index
        size = 0
      }
      size += next.sizeBytes
    }
    if start < sources.endIndex { groups.append(start..<sources.endIndex) }
    return groups
  }
}
