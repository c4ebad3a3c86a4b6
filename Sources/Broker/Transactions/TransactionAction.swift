internal import Core

/// What the transaction coordinator asks of its caller, after the events of the decision are durable.
enum TransactionAction: DecidedAction, Equatable {
  case initProducerID(ReplyToken, ProducerInitializationReply)
  /// The code of every partition of the request.
  case addPartitions(ReplyToken, ErrorCode)
  case addOffsets(ReplyToken, ErrorCode)
  case endTransaction(ReplyToken, ErrorCode)
  /// Write the outcome at once, then say `markersWritten`, or `markersFailed`, with the same value.
  case writeMarkers(TransactionMarkers)

  func refused(with error: ErrorCode) -> TransactionAction? {
    switch self {
    case .initProducerID(let token, let reply):
      .initProducerID(token, ProducerInitializationReply(error: reply.error == .none ? error : reply.error))
    case .addPartitions(let token, _): .addPartitions(token, error)
    case .addOffsets(let token, _): .addOffsets(token, error)
    case .endTransaction(let token, _): .endTransaction(token, error)
    // The outcome is not decided, so nobody may hear of it.
    case .writeMarkers(let markers): markers.token.map { .endTransaction($0, error) }
    }
  }
}

/// The body of an InitProducerId response.
struct ProducerInitializationReply: Sendable, Equatable {
  var error: ErrorCode
  var producerID: Int64 = -1
  var epoch: Int16 = -1
}

/// A decided outcome, for every partition and group of the transaction.
///
/// To do, in this order, all of it repeatable after a crash: a control batch in every partition that still exists
/// (deleted ones are left out), `GroupCoordinator.endTransaction`, and then `TransactionCoordinator.markersWritten`.
/// Never later than at once: the producer's next transaction must not get the outcome of this one.
struct TransactionMarkers: Sendable, Equatable {
  var transactionalID: String
  var producerID: Int64
  /// The markers' epoch. A new one when the producer was fenced: partitions then refuse its older batches.
  var epoch: Int16
  var isCommitted: Bool
  /// Sorted.
  var partitions: [TopicPartition]
  /// Sorted. Empty when there are no offsets to settle.
  var groups: [String]
  /// Who waits for the completion: the producer's EndTxn, or nobody.
  var token: ReplyToken?
}
