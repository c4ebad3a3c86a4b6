/// Follows the transactions of a range of log that is read in order, to tell aborted data and markers that nothing
/// needs any more. Every batch in the range is decided: the range ends below the last stable offset.
struct CompactionTransactions {
  /// By producer, in the order of their markers.
  private var aborted: [Int64: ArraySlice<AbortedTransaction>]
  /// Marker offsets of the aborted transactions of which a batch is still there.
  private var abortedWithData: Set<Int64> = []
  /// Producers whose transaction has a batch in the range, and whose commit marker was not met yet.
  private var committing: Set<Int64> = []

  init(aborted entries: [AbortedTransaction]) {
    aborted = Dictionary(grouping: entries, by: \.producerID).mapValues { $0[...] }
  }

  /// Takes in a batch of data.
  /// - Returns: whether its transaction was aborted.
  mutating func takeData(_ header: RecordBatchHeader) -> Bool {
    guard header.attributes.contains(.transactional) else { return false }
    if let entry = aborted(of: header.producerID, at: header.baseOffset), entry.firstOffset <= header.baseOffset {
      abortedWithData.insert(entry.lastOffset)
      return true
    }
    committing.insert(header.producerID)
    return false
  }

  /// Takes in a marker.
  /// - Returns: whether no batch of its transaction is left, so that it may go when its time has come.
  mutating func takeMarker(_ marker: TransactionMarker, offset: Int64) -> Bool {
    switch marker.kind {
    case .commit: committing.remove(marker.producerID) == nil
    case .abort: !abortedWithData.contains(offset)
    }
  }

  /// The producer's aborted transaction that ends first at or behind the offset.
  private mutating func aborted(of producerID: Int64, at offset: Int64) -> AbortedTransaction? {
    guard var entries = aborted[producerID] else { return nil }
    while let first = entries.first, first.lastOffset < offset { entries.removeFirst() }
    aborted[producerID] = entries
    return entries.first
  }
}
