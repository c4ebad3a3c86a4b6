/// What the log knows of one producer id.
package struct ProducerState: Equatable, Sendable {
  /// One of the last batches of a producer: enough to recognise it when it is sent again and to answer as the first
  /// time.
  package struct Batch: Equatable, Sendable {
    package var firstSequence: Int32
    package var lastSequence: Int32
    package var firstOffset: Int64
    package var lastOffset: Int64
    /// The batch's maximum timestamp.
    package var timestamp: Int64
  }

  package var epoch: Int16
  /// Of the newest marker; -1 before the first.
  package var coordinatorEpoch: Int32 = -1
  /// The broker's clock at the last append. Kafka takes the records' timestamps instead, which would forget a producer
  /// that loads old events at once; the clock keeps it for the whole expiration time.
  package var lastSeenMilliseconds: Int64
  /// nil: no transaction is open.
  package var openTransactionFirstOffset: Int64?
  /// Of the current epoch.
  package var recent = RecentBatches()

  /// -1: nothing was written in this epoch.
  package var lastSequence: Int32 { recent.last?.lastSequence ?? -1 }
}

/// The last five batches of a producer, as many as it may have in flight; stored in place.
package struct RecentBatches: Equatable, Sendable {
  package static let capacity = 5

  private var slots = InlineArray<5, ProducerState.Batch>(
    repeating: .init(firstSequence: 0, lastSequence: 0, firstOffset: 0, lastOffset: 0, timestamp: 0))
  package private(set) var count = 0
  private var next = 0

  package init() {}

  package var isEmpty: Bool { count == 0 }

  package var last: ProducerState.Batch? {
    count == 0 ? nil : self[count - 1]
  }

  /// From the oldest, 0, to the newest.
  package subscript(index: Int) -> ProducerState.Batch {
    slots[(next + Self.capacity - count + index) % Self.capacity]
  }

  package mutating func append(_ batch: ProducerState.Batch) {
    slots[next] = batch
    next = (next + 1) % Self.capacity
    count = min(count + 1, Self.capacity)
  }

  package mutating func removeAll() {
    count = 0
    next = 0
  }

  /// The batch with exactly this range of sequence numbers.
  package func first(covering first: Int32, through last: Int32) -> ProducerState.Batch? {
    for index in 0..<count where self[index].firstSequence == first && self[index].lastSequence == last {
      return self[index]
    }
    return nil
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && (0..<left.count).allSatisfy { left[$0] == right[$0] }
  }
}
