extension ProducerStates {
  /// The payload of a snapshot file.
  func encoded() -> [UInt8] {
    var encoder = BigEndianEncoder()
    encoder.append(UInt32(producers.count))
    for (id, state) in producers.sorted(by: { $0.key < $1.key }) {
      encoder.append(id)
      encoder.append(state.epoch)
      encoder.append(state.coordinatorEpoch)
      encoder.append(state.lastSeenMilliseconds)
      encoder.append(state.openTransactionFirstOffset ?? -1)
      encoder.append(UInt8(state.recent.count))
      for index in 0..<state.recent.count {
        let batch = state.recent[index]
        encoder.append(batch.firstSequence)
        encoder.append(batch.lastSequence)
        encoder.append(batch.firstOffset)
        encoder.append(batch.lastOffset)
        encoder.append(batch.timestamp)
      }
    }
    return encoder.bytes
  }

  /// Reads a snapshot's payload; nil when it is not one.
  init?(encoded: [UInt8]) {
    self.init()
    var decoder = BigEndianDecoder(encoded)
    guard let count = decoder.next(UInt32.self) else { return nil }
    for _ in 0..<count {
      guard let id = decoder.next(Int64.self), let state = ProducerState(from: &decoder) else { return nil }
      producers[id] = state
      if let first = state.openTransactionFirstOffset {
        openTransactions.append(OpenTransaction(producerID: id, firstOffset: first))
      }
    }
    guard decoder.remaining == 0 else { return nil }
    openTransactions.sort { $0.firstOffset < $1.firstOffset }
  }
}

extension ProducerState {
  fileprivate init?(from decoder: inout BigEndianDecoder) {
    guard let epoch = decoder.next(Int16.self), let coordinatorEpoch = decoder.next(Int32.self),
      let lastSeen = decoder.next(Int64.self), let firstOpen = decoder.next(Int64.self),
      let batches = decoder.next(UInt8.self), Int(batches) <= RecentBatches.capacity
    else { return nil }
    self.init(epoch: epoch, coordinatorEpoch: coordinatorEpoch, lastSeenMilliseconds: lastSeen)
    openTransactionFirstOffset = firstOpen < 0 ? nil : firstOpen
    for _ in 0..<batches {
      guard let first = decoder.next(Int32.self), let last = decoder.next(Int32.self),
        let firstOffset = decoder.next(Int64.self), let lastOffset = decoder.next(Int64.self),
        let timestamp = decoder.next(Int64.self)
      else { return nil }
      recent.append(
        Batch(
          firstSequence: first, lastSequence: last, firstOffset: firstOffset, lastOffset: lastOffset,
          timestamp: timestamp))
    }
  }
}
