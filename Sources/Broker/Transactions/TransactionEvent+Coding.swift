internal import Core

extension TransactionEvent {
  /// The first byte of an event. Numbers are never used again for something else.
  private enum Kind: UInt8 {
    case producerIDsReserved = 1
    case initialized = 2
    case partitionsAdded = 3
    case groupAdded = 4
    case prepared = 5
    case completed = 6
    case expired = 7
    case restored = 8
  }

  func encode(into encoder: inout JournalEncoder) {
    switch self {
    case .producerIDsReserved(let end):
      encoder.write(kind: Kind.producerIDsReserved.rawValue)
      encoder.write(end)
    case .initialized(let initialization):
      encoder.write(kind: Kind.initialized.rawValue)
      initialization.encode(into: &encoder)
    case .partitionsAdded(let transactionalID, let partitions, let milliseconds):
      encoder.write(kind: Kind.partitionsAdded.rawValue)
      encoder.write(transactionalID)
      encoder.write(list: partitions) { $0.write($1) }
      encoder.write(milliseconds)
    case .groupAdded(let transactionalID, let groupID, let milliseconds):
      encoder.write(kind: Kind.groupAdded.rawValue)
      encoder.write(transactionalID)
      encoder.write(groupID)
      encoder.write(milliseconds)
    case .prepared(let transactionalID, let isCommitted, let epoch, let lastEpoch, let milliseconds):
      encoder.write(kind: Kind.prepared.rawValue)
      encoder.write(transactionalID)
      encoder.write(isCommitted)
      encoder.write(epoch)
      encoder.write(lastEpoch)
      encoder.write(milliseconds)
    case .completed(let transactionalID, let milliseconds):
      encoder.write(kind: Kind.completed.rawValue)
      encoder.write(transactionalID)
      encoder.write(milliseconds)
    case .expired(let transactionalID):
      encoder.write(kind: Kind.expired.rawValue)
      encoder.write(transactionalID)
    case .restored(let transaction):
      encoder.write(kind: Kind.restored.rawValue)
      transaction.encode(into: &encoder)
    }
  }

  init(decoding decoder: inout JournalDecoder) throws(JournalDecodingError) {
    let byte = try decoder.readKind()
    guard let kind = Kind(rawValue: byte) else { throw .unknownKind(byte) }
    switch kind {
    case .producerIDsReserved:
      self = .producerIDsReserved(end: try decoder.readInt64())
    case .initialized:
      self = .initialized(try Initialization(decoding: &decoder))
    case .partitionsAdded:
      self = .partitionsAdded(
        transactionalID: try decoder.readString(), partitions: try decoder.readPartitions(),
        milliseconds: try decoder.readInt64())
    case .groupAdded:
      self = .groupAdded(
        transactionalID: try decoder.readString(), groupID: try decoder.readString(),
        milliseconds: try decoder.readInt64())
    case .prepared:
      self = .prepared(
        transactionalID: try decoder.readString(), isCommitted: try decoder.readBool(),
        epoch: try decoder.readInt16(), lastEpoch: try decoder.readInt16(), milliseconds: try decoder.readInt64())
    case .completed:
      self = .completed(transactionalID: try decoder.readString(), milliseconds: try decoder.readInt64())
    case .expired:
      self = .expired(transactionalID: try decoder.readString())
    case .restored:
      self = .restored(try Transaction(decoding: &decoder))
    }
  }
}

extension TransactionEvent.Initialization {
  fileprivate func encode(into encoder: inout JournalEncoder) {
    encoder.write(transactionalID)
    encoder.write(producerID)
    encoder.write(epoch)
    encoder.write(lastProducerID)
    encoder.write(lastEpoch)
    encoder.write(timeoutMilliseconds)
    encoder.write(milliseconds)
  }

  fileprivate init(decoding decoder: inout JournalDecoder) throws(JournalDecodingError) {
    transactionalID = try decoder.readString()
    producerID = try decoder.readInt64()
    epoch = try decoder.readInt16()
    lastProducerID = try decoder.readInt64()
    lastEpoch = try decoder.readInt16()
    timeoutMilliseconds = try decoder.readInt64()
    milliseconds = try decoder.readInt64()
  }
}

extension TransactionState {
  /// Its number in the journal, never used again for something else.
  fileprivate var code: Int16 {
    switch self {
    case .empty: 0
    case .ongoing: 1
    case .prepareCommit: 2
    case .prepareAbort: 3
    case .completeCommit: 4
    case .completeAbort: 5
    }
  }
}

extension Transaction {
  fileprivate func encode(into encoder: inout JournalEncoder) {
    encoder.write(transactionalID)
    encoder.write(producerID)
    encoder.write(epoch)
    encoder.write(lastProducerID)
    encoder.write(lastEpoch)
    encoder.write(timeoutMilliseconds)
    encoder.write(state.code)
    encoder.write(list: partitions.sorted()) { $0.write($1) }
    encoder.write(list: groups.sorted()) { $0.write($1) }
    encoder.write(startedMilliseconds)
    encoder.write(updatedMilliseconds)
  }

  fileprivate init(decoding decoder: inout JournalDecoder) throws(JournalDecodingError) {
    transactionalID = try decoder.readString()
    producerID = try decoder.readInt64()
    epoch = try decoder.readInt16()
    lastProducerID = try decoder.readInt64()
    lastEpoch = try decoder.readInt16()
    timeoutMilliseconds = try decoder.readInt64()
    let code = try decoder.readInt16()
    guard let state = TransactionState.allCases.first(where: { $0.code == code }) else { throw .numberOutOfRange }
    self.state = state
    partitions = Set(try decoder.readPartitions())
    groups = Set(
      try decoder.readList { decoder throws(JournalDecodingError) in try decoder.readString() })
    startedMilliseconds = try decoder.readInt64()
    updatedMilliseconds = try decoder.readInt64()
  }
}
