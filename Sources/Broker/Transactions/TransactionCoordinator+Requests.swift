internal import Core

/// Which producer a transactional request comes from.
struct TransactionalProducer: Sendable, Equatable {
  /// Decides which error codes the client knows.
  var apiVersion: Int16
  var transactionalID: String
  var producerID: Int64
  var epoch: Int16
}

/// AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, and what TxnOffsetCommit and Produce have to ask.
extension TransactionCoordinator {
  /// AddPartitionsToTxn. Partitions that do not exist are refused by the server beforehand.
  func addPartitions(
    _ partitions: [TopicPartition], from producer: TransactionalProducer, token: ReplyToken, nowMilliseconds: Int64
  ) -> TransactionDecision {
    if let error = errorOfAdding(producer) { return Decision(actions: [.addPartitions(token, error)]) }
    let known = openTransaction(producer.transactionalID)?.partitions ?? []
    let added = Set(partitions).subtracting(known).sorted()
    let events: [TransactionEvent] =
      added.isEmpty
      ? []
      : [
        .partitionsAdded(
          transactionalID: producer.transactionalID, partitions: added, milliseconds: nowMilliseconds)
      ]
    return Decision(events: events, actions: [.addPartitions(token, .none)])
  }

  /// AddOffsetsToTxn.
  func addOffsets(
    of groupID: String, from producer: TransactionalProducer, token: ReplyToken, nowMilliseconds: Int64
  ) -> TransactionDecision {
    if groupID.isEmpty { return Decision(actions: [.addOffsets(token, .invalidGroupId)]) }
    if let error = errorOfAdding(producer) { return Decision(actions: [.addOffsets(token, error)]) }
    let isKnown = openTransaction(producer.transactionalID)?.groups.contains(groupID) == true
    let events: [TransactionEvent] =
      isKnown
      ? []
      : [.groupAdded(transactionalID: producer.transactionalID, groupID: groupID, milliseconds: nowMilliseconds)]
    return Decision(events: events, actions: [.addOffsets(token, .none)])
  }

  private func openTransaction(_ transactionalID: String) -> Transaction? {
    transactions[transactionalID].flatMap { $0.state == .ongoing ? $0 : nil }
  }

  /// EndTxn. The outcome is durable with the event; the answer comes with `markersWritten`, so that the producer's next
  /// transaction never finds this one unfinished.
  func endTransaction(
    isCommitted: Bool, from producer: TransactionalProducer, token: ReplyToken, nowMilliseconds: Int64
  ) -> TransactionDecision {
    func answer(_ error: ErrorCode) -> TransactionDecision {
      Decision(actions: [.endTransaction(token, error.known(from: 2, in: producer.apiVersion))])
    }
    if let error = error(of: producer) { return answer(error) }
    guard let transaction = transactions[producer.transactionalID] else { return answer(.invalidProducerIdMapping) }
    switch transaction.state {
    case .ongoing:
      let event = TransactionEvent.prepared(
        transactionalID: producer.transactionalID, isCommitted: isCommitted, epoch: transaction.epoch,
        lastEpoch: transaction.lastEpoch, milliseconds: nowMilliseconds)
      let markers = markers(of: transaction, isCommitted: isCommitted, token: token)
      return Decision(events: [event], actions: [.writeMarkers(markers)])
    case .prepareCommit:
      return answer(isCommitted ? .concurrentTransactions : .invalidTxnState)
    case .prepareAbort:
      return answer(isCommitted ? .invalidTxnState : .concurrentTransactions)
    case .completeCommit:
      return answer(isCommitted ? .none : .invalidTxnState)
    case .completeAbort:
      return answer(isCommitted ? .invalidTxnState : .none)
    case .empty:
      return answer(.invalidTxnState)
    }
  }

  /// The caller has done all that `markers` says.
  func markersWritten(_ markers: TransactionMarkers, nowMilliseconds: Int64) -> TransactionDecision {
    let actions = markers.token.map { [TransactionAction.endTransaction($0, .none)] } ?? []
    guard let transaction = transactions[markers.transactionalID], transaction.state.isPrepared,
      transaction.producerID == markers.producerID, transaction.epoch == markers.epoch
    else { return Decision(actions: actions) }
    let event = TransactionEvent.completed(
      transactionalID: markers.transactionalID, milliseconds: nowMilliseconds)
    return Decision(events: [event], actions: actions)
  }

  /// The caller could not do all that `markers` says, for instance because the disk is full, and has forgotten it:
  /// `transactionsToFinish` has it again. The producer is told to ask again.
  func markersFailed(_ markers: TransactionMarkers) -> TransactionDecision {
    Decision(actions: markers.token.map { [.endTransaction($0, .coordinatorNotAvailable)] } ?? [])
  }

  /// The decided transactions whose completion is not durable: after a restart, or after a disk was full. Sorted by id.
  func transactionsToFinish() -> [TransactionMarkers] {
    transactions.values.filter(\.state.isPrepared).sorted { $0.transactionalID < $1.transactionalID }
      .map { markers(of: $0, isCommitted: $0.state == .prepareCommit, token: nil) }
  }

  func markers(of transaction: Transaction, isCommitted: Bool, token: ReplyToken?) -> TransactionMarkers {
    TransactionMarkers(
      transactionalID: transaction.transactionalID, producerID: transaction.producerID, epoch: transaction.epoch,
      isCommitted: isCommitted, partitions: transaction.partitions.sorted(), groups: transaction.groups.sorted(),
      token: token)
  }

  // MARK: Checks

  /// TxnOffsetCommit's transactional half: the group has to be part of the producer's open transaction. Its clients
  /// know INVALID_PRODUCER_EPOCH in every version.
  func errorOfStagingOffsets(of groupID: String, from producer: TransactionalProducer) -> ErrorCode {
    if let error = error(of: producer) { return error.known(from: .max, in: producer.apiVersion) }
    guard let transaction = transactions[producer.transactionalID] else { return .invalidProducerIdMapping }
    if transaction.state.isPrepared { return .concurrentTransactions }
    return transaction.state == .ongoing && transaction.groups.contains(groupID) ? .none : .invalidTxnState
  }

  /// Whether a transactional batch may be appended: a batch that no marker would ever follow would hold back every
  /// reader of committed records.
  func mayProduce(producerID: Int64, epoch: Int16, partition: TopicPartition) -> ErrorCode {
    guard let transaction = transaction(ofProducer: producerID) else { return .invalidProducerIdMapping }
    if transaction.epoch != epoch { return .invalidProducerEpoch }
    return transaction.state == .ongoing && transaction.partitions.contains(partition) ? .none : .invalidTxnState
  }

  private func error(of producer: TransactionalProducer) -> ErrorCode? {
    if producer.transactionalID.isEmpty { return .invalidRequest }
    guard let transaction = transactions[producer.transactionalID], transaction.producerID == producer.producerID
    else { return .invalidProducerIdMapping }
    return transaction.epoch == producer.epoch ? nil : .producerFenced
  }

  private func errorOfAdding(_ producer: TransactionalProducer) -> ErrorCode? {
    if let error = error(of: producer) { return error.known(from: 2, in: producer.apiVersion) }
    return transactions[producer.transactionalID]?.state.isPrepared == true ? .concurrentTransactions : nil
  }

  // MARK: Administration

  /// What ListTransactions and DescribeTransactions tell, sorted by id.
  func listTransactions() -> [Transaction] {
    transactions.values.sorted { $0.transactionalID < $1.transactionalID }
  }
}
