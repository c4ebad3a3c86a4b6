/// Which records of each partition are wanted, and when all of them are read. A value.
struct ReadingLimits: Sendable {
  private struct Partition: Sendable {
    /// The first offset that is not wanted; nil: follow the log.
    var end: Int64?
    /// The end of the log when reading began.
    var endOfLog: Int64
    var isDone: Bool
  }

  private var partitions: [Int32: Partition] = [:]
  private var remaining: Int?

  /// - Parameter countMax: over all partitions; nil for no limit.
  init(countMax: Int?) { remaining = countMax }

  /// - Parameters:
  ///   - start: the first offset that is read.
  ///   - end: the first offset that is not wanted; nil to follow the log.
  ///   - endOfLog: what the broker says it is before the reading begins.
  mutating func add(partition: Int32, start: Int64, end: Int64?, endOfLog: Int64) {
    partitions[partition] = Partition(end: end, endOfLog: endOfLog, isDone: end.map { start >= $0 } ?? false)
  }

  var isDone: Bool { remaining == 0 || partitions.values.allSatisfy(\.isDone) }

  /// Whether the log held records, when reading began, that are wanted and were not read yet.
  var expectsRecords: Bool {
    partitions.values.contains { partition in
      partition.end.map { !partition.isDone && $0 <= partition.endOfLog } ?? false
    }
  }

  /// Books a batch.
  ///
  /// - Parameter offset: of the record at a position of the batch; offsets rise.
  /// - Returns: the positions of the records that are wanted.
  mutating func take(
    partition: Int32, offsets: ClosedRange<Int64>, count: Int, offset: (Int) -> Int64
  ) -> Range<Int> {
    guard let state = partitions[partition], !state.isDone else { return 0..<0 }
    var wanted = count
    if let end = state.end, offsets.upperBound >= end - 1 {
      partitions[partition]?.isDone = true
      while wanted > 0 && offset(wanted - 1) >= end { wanted -= 1 }
    }
    if let remaining {
      wanted = min(wanted, remaining)
      self.remaining = remaining - wanted
    }
    return 0..<wanted
  }

  /// The partition is read to the end of its log, with markers and aborted records, which are never handed over.
  mutating func didReachEnd(partition: Int32, position: Int64) {
    guard let state = partitions[partition], let end = state.end else { return }
    if end <= max(state.endOfLog, position) { partitions[partition]?.isDone = true }
  }
}
