internal import Core

/// Brings a partition's folder back to a state in which every byte is accounted for.
///
/// Closed segments below the recovery point are trusted as their index files describe them. Everything from the newest
/// usable producer snapshot on is read; from the recovery point on every checksum is verified. What is broken at the
/// end of the last segment was never acknowledged, or was lost with the power: it is cut. Anything broken in front of
/// other data is an error, because cutting there would throw away what follows.
struct LogRecovery {
  let folder: String
  let configuration: LogConfiguration
  let nowMilliseconds: Int64
  let checkpoints: LogCheckpoints

  var report = LogRecoveryReport()
  var segments: [LogSegment] = []
  var producers = ProducerStates()
  var aborted = AbortedTransactions()
  var unflushed: [LogSegment] = []
  var logStartOffset: Int64 = 0
  var recoveryPoint: Int64 = 0
  var cleanedUpTo: Int64 = 0

  init(folder: String, configuration: LogConfiguration, nowMilliseconds: Int64) {
    self.folder = folder
    self.configuration = configuration
    self.nowMilliseconds = nowMilliseconds
    checkpoints = LogCheckpoints(folder: folder)
  }

  mutating func run() throws(HeadraceError) {
    do {
      try LogFolder.create(folder)
      let bases = try prepareFiles()
      logStartOffset = checkpoints.logStart.load() ?? bases.first ?? 0
      recoveryPoint = checkpoints.recoveryPoint() ?? 0
      cleanedUpTo = checkpoints.cleanedUpTo() ?? 0
      let kept = try removeSegmentsBelowLogStart(bases)
      try recover(kept)
      try checkpoints.removeCleanShutdown()
      // Without room now it is tried again when it is needed.
      try? checkpoints.logStart.reserve()
      report.openTransactions = producers.openTransactions.count
    } catch let failure as StorageFailure {
      throw failure.asHeadraceError
    } catch let error as HeadraceError {
      throw error
    } catch {
      throw HeadraceError(.internal, "LOG_RECOVERY", "\(error)", place: folder)
    }
  }

  /// Removes what an interrupted write, compaction or deletion left behind; the base offsets of the segments, sorted.
  private func prepareFiles() throws(StorageFailure) -> [Int64] {
    try CompactionManifest.finish(in: folder)
    for name in try LogFolder.names(in: folder) {
      for suffix in [CheckedFile.temporarySuffix, SegmentName.cleanedSuffix, SegmentName.deletedSuffix]
      where name.hasSuffix(suffix) {
        try LogFolder.remove("\(folder)/\(name)")
      }
    }
    return try LogFolder.names(in: folder).compactMap { SegmentName.offset($0, suffix: SegmentName.logSuffix) }
  }

  /// Retention moves the log's start before it removes files; what it did not get to is removed here.
  private func removeSegmentsBelowLogStart(_ bases: [Int64]) throws(StorageFailure) -> [Int64] {
    var kept = bases[...]
    while kept.count > 1, kept[kept.startIndex + 1] <= logStartOffset {
      let stem = "\(folder)/\(SegmentName.stem(kept.removeFirst()))"
      for suffix in [SegmentName.indexSuffix, SegmentName.logSuffix] { try LogFolder.remove(stem + suffix) }
    }
    return Array(kept)
  }

  private mutating func recover(_ bases: [Int64]) throws {
    let files = try bases.map { try indexFile(baseOffset: $0) }
    if try adoptCleanShutdown(bases, files) { return }

    if !bases.isEmpty {
      let snapshotOffset = try loadSnapshot(atMost: bases[trustedCount(bases, files)], bases: bases)
      let firstScanned = bases.firstIndex { $0 >= snapshotOffset } ?? 0
      for index in bases.indices {
        if index < firstScanned, let file = files[index] {
          adopt(file, opened: nil)
        } else {
          // Compaction may have taken what a snapshot still knows.
          if let states = snapshot(bases[index]) { producers = states }
          try scan(bases[index], behind: bases[(index + 1)...], hasIndexFile: files[index] != nil)
        }
      }
    }
    aborted.removeAll(endingBefore: logStartOffset)
    try ensureGrowingSegment()
  }

  /// What is snapshotted of a part of the log that was cut never was.
  func removeSnapshots(behind end: Int64) throws(StorageFailure) {
    for name in try LogFolder.names(in: folder) {
      if let offset = SegmentName.offset(name, suffix: SegmentName.snapshotSuffix), offset > end {
        try LogFolder.remove("\(folder)/\(name)")
      }
    }
  }

  /// After an orderly close everything is where it was left: no file is scanned.
  private mutating func adoptCleanShutdown(_ bases: [Int64], _ files: [SegmentIndexFile?]) throws(StorageFailure)
    -> Bool
  {
    guard let mark = checkpoints.cleanShutdown(), let last = bases.last, last == mark.activeBaseOffset,
      let lastFile = files.last ?? nil, Int64(lastFile.summary.sizeBytes) == mark.activeSizeBytes,
      lastFile.summary.endOffset == mark.endOffset, !files.contains(where: { $0 == nil }),
      let states = snapshot(mark.endOffset)
    else { return false }
    let stem = "\(folder)/\(SegmentName.stem(last))"
    guard let index = SegmentIndexFile.index(path: stem + SegmentName.indexSuffix) else { return false }
    let file = try LogFile(stem + SegmentName.logSuffix, .readWrite)
    producers = states
    for case let file? in files.dropLast() { adopt(file, opened: nil) }
    adopt(lastFile, opened: LogSegment.Opened(file: file, index: index))
    // Both describe a file that grows from now on.
    try LogFolder.remove(stem + SegmentName.indexSuffix)
    if mark.endOffset != last { try LogFolder.remove(snapshotPath(mark.endOffset)) }
    aborted.removeAll(endingBefore: logStartOffset)
    report.wasClean = true
    return true
  }

  /// How many closed segments from the front are as their index files say. There is at least one segment.
  private func trustedCount(_ bases: [Int64], _ files: [SegmentIndexFile?]) -> Int {
    var count = 0
    while count < bases.count - 1, let summary = files[count]?.summary, summary.endOffset <= recoveryPoint,
      summary.endOffset <= bases[count + 1]
    {
      count += 1
    }
    return count
  }

  private func indexFile(baseOffset: Int64) throws(StorageFailure) -> SegmentIndexFile? {
    let stem = "\(folder)/\(SegmentName.stem(baseOffset))"
    return SegmentIndexFile(
      path: stem + SegmentName.indexSuffix, baseOffset: baseOffset,
      sizeBytes: try LogFolder.size(of: stem + SegmentName.logSuffix))
  }

  mutating func adopt(_ file: SegmentIndexFile, opened: LogSegment.Opened?) {
    segments.append(
      LogSegment(folder: folder, summary: file.summary, opened: opened, createdMilliseconds: nowMilliseconds))
    for entry in file.aborted { aborted.append(entry) }
  }

  /// Loads the newest snapshot that a scan can go on from: one taken where a segment begins. An older one might know of
  /// a transaction whose end was deleted since.
  /// - Returns: its offset; the first segment's base when there is none.
  private mutating func loadSnapshot(atMost limit: Int64, bases: [Int64]) throws(StorageFailure) -> Int64 {
    let first = bases.first ?? 0
    let offsets = try LogFolder.names(in: folder)
      .compactMap { SegmentName.offset($0, suffix: SegmentName.snapshotSuffix) }
      .filter { $0 <= limit && bases.contains($0) }
    for offset in offsets.sorted(by: >) {
      guard let states = snapshot(offset) else { continue }
      producers = states
      return offset
    }
    return first
  }

  private func snapshot(_ offset: Int64) -> ProducerStates? {
    CheckedFile.payload(snapshotPath(offset), kind: .producerSnapshot).flatMap { ProducerStates(encoded: $0) }
  }

  private func snapshotPath(_ offset: Int64) -> String {
    "\(folder)/\(SegmentName.stem(offset))\(SegmentName.snapshotSuffix)"
  }
}
