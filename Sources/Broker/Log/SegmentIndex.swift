/// The sparse index of one segment: where a scan for an offset or a timestamp may begin.
///
/// One table serves both: offsets, positions and the largest timestamp so far all only grow.
struct SegmentIndex: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    /// Base offset of a batch, relative to the segment's.
    var relativeOffset: UInt32
    /// Where the batch starts in the file.
    var position: UInt32
    /// The largest timestamp of all batches in front of it.
    var maximumTimestampBefore: Int64
  }

  private(set) var entries: [Entry] = []
  private var bytesSinceEntry = 0

  init() {}

  init(entries: [Entry]) { self.entries = entries }

  /// Takes in a batch; every `intervalBytes` one of them gets an entry.
  mutating func add(
    relativeOffset: Int64, position: Int, sizeBytes: Int, maximumTimestampBefore: Int64, intervalBytes: Int
  ) {
    if bytesSinceEntry >= intervalBytes, let offset = UInt32(exactly: relativeOffset),
      let position = UInt32(exactly: position)
    {
      entries.append(Entry(relativeOffset: offset, position: position, maximumTimestampBefore: maximumTimestampBefore))
      bytesSinceEntry = 0
    }
    bytesSinceEntry += sizeBytes
  }

  /// A position at or in front of the batch that holds the offset.
  func position(atOrBefore relativeOffset: Int64) -> Int {
    position(before: partition { Int64($0.relativeOffset) > relativeOffset })
  }

  /// A position in front of which every timestamp is smaller.
  func position(ofTimestamp timestamp: Int64) -> Int {
    position(before: partition { $0.maximumTimestampBefore >= timestamp })
  }

  private func position(before index: Int) -> Int {
    index == 0 ? 0 : Int(entries[index - 1].position)
  }

  /// The index of the first entry for which `isBehind` holds; it holds for all that follow.
  private func partition(_ isBehind: (Entry) -> Bool) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if isBehind(entries[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension SegmentIndex {
  /// Builds the index of a closed segment from its file.
  init(scanning file: LogFile, of summary: SegmentSummary, intervalBytes: Int) throws(StorageFailure) {
    self.init()
    var newest: Int64 = -1
    var scanner = SegmentScanner(file, end: summary.sizeBytes)
    while case .batch(let header, let position) = try scanner.next(checksums: false) {
      add(
        relativeOffset: header.baseOffset &- summary.baseOffset, position: position, sizeBytes: header.sizeBytes,
        maximumTimestampBefore: newest, intervalBytes: intervalBytes)
      newest = max(newest, header.maximumTimestamp)
    }
  }
}
