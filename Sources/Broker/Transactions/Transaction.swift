internal import Core

/// Where the transaction of a transactional id stands (KIP-98), by the names that DescribeTransactions gives.
enum TransactionState: String, Sendable, CaseIterable {
  /// Initialised, nothing begun.
  case empty = "Empty"
  case ongoing = "Ongoing"
  /// The outcome is decided and durable; markers are being written.
  case prepareCommit = "PrepareCommit"
  case prepareAbort = "PrepareAbort"
  /// Every partition knows the outcome.
  case completeCommit = "CompleteCommit"
  case completeAbort = "CompleteAbort"

  /// Between decision and completion.
  var isPrepared: Bool { self == .prepareCommit || self == .prepareAbort }

  /// No transaction is open, and none is being ended.
  var isIdle: Bool { self == .empty || self == .completeCommit || self == .completeAbort }
}

/// All that is known of one transactional id. Every field is durable.
struct Transaction: Sendable, Equatable {
  let transactionalID: String
  var producerID: Int64
  var epoch: Int16
  /// The producer id before the last epoch was used up, else -1.
  var lastProducerID: Int64 = -1
  /// The epoch that its owner had before the last bump, if the owner itself asked for the bump, else -1. A repeated
  /// request for that bump is answered and not fenced (KIP-360).
  var lastEpoch: Int16 = -1
  var timeoutMilliseconds: Int64
  var state = TransactionState.empty
  /// The partitions that get a marker. Only these may take batches of the transaction.
  var partitions: Set<TopicPartition> = []
  /// The groups whose offsets are committed with it.
  var groups: Set<String> = []
  /// When the open transaction began; -1 when none is open.
  var startedMilliseconds: Int64 = -1
  /// When the producer was last heard of, for the expiry of the id.
  var updatedMilliseconds: Int64

  /// The last epoch that a producer may be given is one less than the greatest number: the broker itself needs one more
  /// to fence the holder of the last one.
  var isEpochExhausted: Bool { epoch >= Int16.max - 1 }

  /// When the open transaction is aborted.
  var deadlineMilliseconds: Int64? { state == .ongoing ? startedMilliseconds &+ timeoutMilliseconds : nil }
}
