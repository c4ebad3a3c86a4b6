/// The producers of one partition: the gate for idempotent and transactional batches, and the source of the last stable
/// offset.
///
/// A value. `decide` looks, `apply` changes, so that a batch counts only once it is in the file. Rules: KIP-98, KIP-360
/// and Kafka's `ProducerAppendInfo`.
package struct ProducerStates: Equatable, Sendable {
  package enum Decision: Equatable, Sendable {
    case append
    /// The batch is stored already: answer as the first time.
    case duplicate(ProducerState.Batch)
  }

  package struct OpenTransaction: Equatable, Sendable {
    package var producerID: Int64
    package var firstOffset: Int64
  }

  package internal(set) var producers: [Int64: ProducerState] = [:]
  /// In the order of their first offsets.
  package internal(set) var openTransactions: [OpenTransaction] = []

  package init() {}

  package subscript(producerID: Int64) -> ProducerState? { producers[producerID] }

  /// Whether a checked batch of a client may be appended.
  package func decide(_ header: RecordBatchHeader) throws(ProducerError) -> Decision {
    guard header.hasProducerID, let state = producers[header.producerID] else { return .append }
    let epoch = header.producerEpoch
    if epoch == state.epoch,
      let known = state.recent.first(covering: header.baseSequence, through: header.lastSequence)
    {
      return .duplicate(known)
    }
    guard epoch >= state.epoch else {
      throw .invalidEpoch(producerID: header.producerID, current: state.epoch, found: epoch)
    }
    let expected = epoch == state.epoch ? ProducerSequence.following(state.lastSequence) : 0
    guard header.baseSequence == expected else {
      throw .outOfOrderSequence(producerID: header.producerID, expected: expected, found: header.baseSequence)
    }
    if state.openTransactionFirstOffset != nil, !header.attributes.contains(.transactional) {
      throw .transactionOpen(producerID: header.producerID)
    }
    return .append
  }

  /// Takes in a batch that is in the log at the offsets of its header.
  package mutating func apply(_ header: RecordBatchHeader, nowMilliseconds: Int64) {
    guard header.hasProducerID else { return }
    let fresh = ProducerState(epoch: header.producerEpoch, lastSeenMilliseconds: nowMilliseconds)
    let opens = Self.update(
      &producers[header.producerID, default: fresh], with: header, nowMilliseconds: nowMilliseconds)
    if opens {
      openTransactions.append(OpenTransaction(producerID: header.producerID, firstOffset: header.baseOffset))
    }
  }

  /// Whether the batch opens a transaction.
  private static func update(
    _ state: inout ProducerState, with header: RecordBatchHeader, nowMilliseconds: Int64
  ) -> Bool {
    state.advance(to: header.producerEpoch)
    state.lastSeenMilliseconds = nowMilliseconds
    state.recent.append(
      ProducerState.Batch(
        firstSequence: header.baseSequence, lastSequence: header.lastSequence, firstOffset: header.baseOffset,
        lastOffset: header.lastOffset, timestamp: header.maximumTimestamp))
    guard header.attributes.contains(.transactional), state.openTransactionFirstOffset == nil else { return false }
    state.openTransactionFirstOffset = header.baseOffset
    return true
  }

  /// Whether a coordinator may end the producer's transaction.
  package func decide(_ marker: TransactionMarker) throws(ProducerError) {
    guard let state = producers[marker.producerID] else { return }
    guard marker.producerEpoch >= state.epoch else {
      throw .invalidEpoch(producerID: marker.producerID, current: state.epoch, found: marker.producerEpoch)
    }
    guard marker.coordinatorEpoch >= state.coordinatorEpoch else {
      throw .coordinatorFenced(
        producerID: marker.producerID, current: state.coordinatorEpoch, found: marker.coordinatorEpoch)
    }
  }

  /// Takes in a marker that is in the log.
  /// - Returns: the first offset of the transaction that it ended; nil when none was open.
  @discardableResult
  package mutating func apply(_ marker: TransactionMarker, nowMilliseconds: Int64) -> Int64? {
    var state =
      producers[marker.producerID] ?? ProducerState(epoch: marker.producerEpoch, lastSeenMilliseconds: nowMilliseconds)
    state.advance(to: marker.producerEpoch)
    state.coordinatorEpoch = marker.coordinatorEpoch
    state.lastSeenMilliseconds = nowMilliseconds
    let first = state.openTransactionFirstOffset
    state.openTransactionFirstOffset = nil
    producers[marker.producerID] = state
    if first != nil { openTransactions.removeAll { $0.producerID == marker.producerID } }
    return first
  }

  /// Whether the producer has an open transaction that a marker of this epoch would end.
  package func hasOpenTransaction(producerID: Int64, producerEpoch: Int16) -> Bool {
    guard let state = producers[producerID], state.openTransactionFirstOffset != nil else { return false }
    return state.epoch <= producerEpoch
  }

  /// Where the oldest open transaction starts: nothing from here on is stable.
  package var firstOpenOffset: Int64? { openTransactions.first?.firstOffset }

  /// Forgets idle producers, but none with an open transaction.
  /// - Returns: how many.
  package mutating func expire(idleMilliseconds: Int64, nowMilliseconds: Int64) -> Int {
    let before = producers.count
    let expired = producers.filter { _, state in
      state.openTransactionFirstOffset == nil && nowMilliseconds &- state.lastSeenMilliseconds >= idleMilliseconds
    }
    for id in expired.keys { producers[id] = nil }
    return before - producers.count
  }
}

extension ProducerState {
  /// A new epoch starts without batches.
  fileprivate mutating func advance(to newEpoch: Int16) {
    guard newEpoch != epoch else { return }
    epoch = newEpoch
    recent.removeAll()
  }
}
