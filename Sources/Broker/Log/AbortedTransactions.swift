/// A transaction that ended with an abort marker.
package struct AbortedTransaction: Equatable, Sendable {
  package var producerID: Int64
  /// Of its first batch in this partition.
  package var firstOffset: Int64
  /// Of its abort marker.
  package var lastOffset: Int64
  /// The log's last stable offset once the marker was in: no transaction that ended later starts before it.
  package var lastStableOffset: Int64
}

/// The aborted transactions of a partition, in the order of their markers.
package struct AbortedTransactions: Equatable, Sendable {
  package private(set) var entries: [AbortedTransaction] = []

  package init() {}

  /// - Parameter entry: its marker lies behind those of all entries so far.
  mutating func append(_ entry: AbortedTransaction) { entries.append(entry) }

  /// What a reader of `from ..< upTo` has to filter, sorted by first offset: the transactions that start before the end
  /// of the data and end at or behind its start.
  package func overlapping(from start: Int64, upTo end: Int64) -> [AbortedTransaction] {
    var found: [AbortedTransaction] = []
    for entry in entries[firstIndex(endingFrom: start)...] {
      if entry.firstOffset < end { found.append(entry) }
      if entry.lastStableOffset >= end { break }
    }
    return found.sorted { $0.firstOffset < $1.firstOffset }
  }

  /// The entries whose markers lie in a range of offsets.
  func entries(endingIn range: Range<Int64>) -> ArraySlice<AbortedTransaction> {
    entries[firstIndex(endingFrom: range.lowerBound)..<firstIndex(endingFrom: range.upperBound)]
  }

  mutating func removeAll(endingBefore offset: Int64) {
    entries.removeFirst(firstIndex(endingFrom: offset))
  }

  mutating func removeAll(where shouldRemove: (AbortedTransaction) -> Bool) {
    entries.removeAll(where: shouldRemove)
  }

  private func firstIndex(endingFrom offset: Int64) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].lastOffset < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
