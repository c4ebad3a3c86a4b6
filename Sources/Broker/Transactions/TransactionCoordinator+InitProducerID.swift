/// An InitProducerId request, whatever its version.
struct ProducerInitialization: Sendable, Equatable {
  /// Decides which error codes the client knows.
  var apiVersion: Int16
  /// Nil for a producer that is only idempotent.
  var transactionalID: String?
  var timeoutMilliseconds: Int64
  /// Version 3 and later: what the producer has and wants to go on with (KIP-360); -1 when it has nothing.
  var producerID: Int64 = -1
  var epoch: Int16 = -1
}

extension TransactionCoordinator {
  /// InitProducerId: who the producer is from now on. Every earlier holder of the transactional id is fenced by it.
  mutating func initProducerID(
    _ request: ProducerInitialization, token: ReplyToken, nowMilliseconds: Int64
  ) -> TransactionDecision {
    guard let transactionalID = request.transactionalID else {
      let (id, events) = takeProducerID()
      let reply = ProducerInitializationReply(error: .none, producerID: id, epoch: 0)
      return Decision(events: events, actions: [.initProducerID(token, reply)])
    }
    if transactionalID.isEmpty { return refusal(.invalidRequest, request, token) }
    guard 1...configuration.timeoutMillisecondsMaximum ~= request.timeoutMilliseconds else {
      return refusal(.invalidTransactionTimeout, request, token)
    }
    guard let transaction = transactions[transactionalID] else {
      let (id, events) = takeProducerID()
      return initialization(transactionalID, request, token, nowMilliseconds, id: id, epoch: 0, events: events)
    }
    guard request.isFromHolder(of: transaction) else { return refusal(.producerFenced, request, token) }
    switch transaction.state {
    case .prepareCommit, .prepareAbort:
      return refusal(.concurrentTransactions, request, token)
    case .ongoing:
      return abort(transaction, request, token, nowMilliseconds)
    case .empty, .completeCommit, .completeAbort:
      return nextEpoch(of: transaction, request, token, nowMilliseconds)
    }
  }

  /// The transaction of the time before has to end first; the client asks again, and gets an epoch of its own.
  private func abort(
    _ transaction: Transaction, _ request: ProducerInitialization, _ token: ReplyToken, _ nowMilliseconds: Int64
  ) -> TransactionDecision {
    // An older holder must not end the transaction of the present one.
    guard request.epoch == -1 || request.epoch == transaction.epoch else {
      return refusal(.producerFenced, request, token)
    }
    // A holder that asks for the abort itself will ask again with the epoch that it knows: it may have the next one.
    let (event, markers) = fence(transaction, lastEpoch: request.epoch, nowMilliseconds)
    let reply = ProducerInitializationReply(error: .concurrentTransactions)
    return Decision(events: [event], actions: [.initProducerID(token, reply), .writeMarkers(markers)])
  }

  private mutating func nextEpoch(
    of transaction: Transaction, _ request: ProducerInitialization, _ token: ReplyToken, _ nowMilliseconds: Int64
  ) -> TransactionDecision {
    let transactionalID = transaction.transactionalID
    let isCurrent = request.epoch == -1 || request.epoch == transaction.epoch
    // The answer to its last request was lost, or told it to ask again: it gets what it would have got.
    let isRepeated = !isCurrent && request.epoch == transaction.lastEpoch
    guard isCurrent || isRepeated else { return refusal(.producerFenced, request, token) }
    if isRepeated, transaction.epoch < .max {
      return initialization(
        transactionalID, request, token, nowMilliseconds, id: transaction.producerID, epoch: transaction.epoch,
        lastProducerID: transaction.lastProducerID, lastEpoch: transaction.lastEpoch)
    }
    if transaction.isEpochExhausted {
      let (id, events) = takeProducerID()
      return initialization(
        transactionalID, request, token, nowMilliseconds, id: id, epoch: 0,
        lastProducerID: transaction.producerID, lastEpoch: request.epoch, events: events)
    }
    return initialization(
      transactionalID, request, token, nowMilliseconds, id: transaction.producerID, epoch: transaction.epoch + 1,
      lastProducerID: transaction.lastProducerID, lastEpoch: request.epoch)
  }

  private func initialization(
    _ transactionalID: String, _ request: ProducerInitialization, _ token: ReplyToken, _ nowMilliseconds: Int64,
    id: Int64, epoch: Int16, lastProducerID: Int64 = -1, lastEpoch: Int16 = -1, events: [TransactionEvent] = []
  ) -> TransactionDecision {
    let event = TransactionEvent.initialized(
      TransactionEvent.Initialization(
        transactionalID: transactionalID, producerID: id, epoch: epoch, lastProducerID: lastProducerID,
        lastEpoch: lastEpoch, timeoutMilliseconds: request.timeoutMilliseconds, milliseconds: nowMilliseconds))
    let reply = ProducerInitializationReply(error: .none, producerID: id, epoch: epoch)
    return Decision(events: events + [event], actions: [.initProducerID(token, reply)])
  }

  private func refusal(
    _ error: ErrorCode, _ request: ProducerInitialization, _ token: ReplyToken
  ) -> TransactionDecision {
    let known = error.known(from: 4, in: request.apiVersion)
    return Decision(actions: [.initProducerID(token, ProducerInitializationReply(error: known))])
  }
}

extension ProducerInitialization {
  /// Whether the producer id that it names, if any, is the current one, or the one whose last epoch was just used up.
  fileprivate func isFromHolder(of transaction: Transaction) -> Bool {
    producerID == -1 || producerID == transaction.producerID
      || (producerID == transaction.lastProducerID && epoch >= Int16.max - 1)
  }
}

extension ErrorCode {
  /// PRODUCER_FENCED came late: clients of older versions know INVALID_PRODUCER_EPOCH for it (KIP-588).
  func known(from firstVersion: Int16, in apiVersion: Int16) -> ErrorCode {
    self == .producerFenced && apiVersion < firstVersion ? .invalidProducerEpoch : self
  }
}
