internal import Core

/// What the journal says about producers and transactions.
enum TransactionEvent: Sendable, Equatable {
  /// All producer ids below `end` may have been given out.
  case producerIDsReserved(end: Int64)
  /// A producer has initialised: the id is idle, with this producer id and epoch.
  case initialized(Initialization)
  /// Partitions joined the open transaction, which begins with the first of them.
  case partitionsAdded(transactionalID: String, partitions: [TopicPartition], milliseconds: Int64)
  /// A group joined the open transaction, which may begin with it.
  case groupAdded(transactionalID: String, groupID: String, milliseconds: Int64)
  /// The outcome is decided. The epoch is a new one when the broker fences the producer.
  case prepared(transactionalID: String, isCommitted: Bool, epoch: Int16, lastEpoch: Int16, milliseconds: Int64)
  /// Every partition and group has heard the outcome.
  case completed(transactionalID: String, milliseconds: Int64)
  /// Nothing was heard of the id for a long time.
  case expired(transactionalID: String)
  /// The whole state of an id, in a compacted journal.
  case restored(Transaction)

  struct Initialization: Sendable, Equatable {
    var transactionalID: String
    var producerID: Int64
    var epoch: Int16
    var lastProducerID: Int64
    var lastEpoch: Int16
    var timeoutMilliseconds: Int64
    var milliseconds: Int64
  }
}
