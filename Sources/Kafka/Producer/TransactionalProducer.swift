package import Core
internal import CRDKafka

/// Writes records and group offsets that become visible together, or not at all.
///
/// The rule for errors is their `retry`: `sameCall` may be repeated; `abortTransaction` asks for `abort`, then the
/// caller rewinds to the committed offset; after `newInstance` and `unknownOutcome` this object refuses everything but
/// `close`: make a new one, `initialize` it, read the committed offset, and decide. Belongs to one thread, as
/// `Producer` does.
package final class TransactionalProducer {
  private let producer: Producer
  private var state = State.new

  private enum State: Equatable {
    case new
    case ready
    case open
    /// Something failed inside of the transaction: only `abort` is left.
    case mustAbort
    /// The instance is of no more use.
    case ended(HeadraceError)
  }

  package init(
    _ configuration: ProducerConfiguration, _ transaction: TransactionConfiguration
  ) throws(HeadraceError) {
    producer = try Producer(configuration, configuration.settings(transaction))
  }

  /// Fences every older instance of the same transactional id, and waits until their transactions are over.
  package func initialize(timeoutMilliseconds: Int32) throws(HeadraceError) {
    try check(.new, "initialize transactions")
    let client = try producer.open()
    unsafe try call("initialize transactions") { unsafe rd_kafka_init_transactions(client.handle, timeoutMilliseconds) }
    state = .ready
  }

  package func begin() throws(HeadraceError) {
    try check(.ready, "begin a transaction")
    let client = try producer.open()
    // librdkafka before 2.1.1 hangs here for ever when a fatal error came before.
    if let error = client.fatalError { throw end(error) }
    unsafe try call("begin a transaction") { unsafe rd_kafka_begin_transaction(client.handle) }
    _ = producer.takeReports()
    state = .open
  }

  /// Queues records as part of the transaction. What cannot be delivered fails the commit.
  package func send(_ batch: ProduceBatch) throws(HeadraceError) {
    try check(.open, "send in a transaction")
    do {
      try producer.send(batch)
    } catch {
      throw failure(error)
    }
  }

  /// Waits until every record that was sent is stored. The commit does so too.
  package func flush(timeoutMilliseconds: Int32) throws(HeadraceError) {
    try check(.open, "flush in a transaction")
    do {
      try producer.flush(timeoutMilliseconds: timeoutMilliseconds)
    } catch {
      if let fatal = try producer.open().fatalError { throw end(fatal) }
      throw producer.isFailureUnreported ? abortable(error) : failure(error)
    }
  }

  /// Makes the group's offsets part of the transaction.
  ///
  /// - Parameters:
  ///   - offsets: the next record to read of each partition; metadata is ASCII text.
  ///   - group: of the consumer that read the input; a member that was replaced since is refused.
  package func sendOffsets(
    _ offsets: [TopicPartition: CommittedOffset], group: borrowing GroupMetadata, timeoutMilliseconds: Int32
  ) throws(HeadraceError) {
    try check(.open, "add offsets to the transaction")
    for (partition, offset) in offsets {
      guard offset.metadata?.utf8.allSatisfy({ $0 > 0 && $0 < 0x80 }) ?? true else {
        throw HeadraceError(
          .user, "OFFSET_METADATA", "the metadata of an offset is not ASCII text", place: partition.description)
      }
    }
    let client = try producer.open()
    let list = RDPartitionList(committing: offsets)
    let metadata = unsafe group.pointer
    unsafe try call("add offsets to the transaction") {
      unsafe rd_kafka_send_offsets_to_transaction(client.handle, list.pointer, metadata, timeoutMilliseconds)
    }
  }

  /// Makes everything since `begin` visible.
  ///
  /// - Throws: `unknownOutcome` when no answer came in time.
  package func commit(timeoutMilliseconds: Int32) throws(HeadraceError) {
    try check(.open, "commit the transaction")
    let client = try producer.open()
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(timeoutMilliseconds)
    // First, and apart from the commit itself: as long as records are on their way, the outcome is still known.
    try flush(timeoutMilliseconds: timeoutMilliseconds)
    let left = Int32(clamping: max(deadline - WallClock.monotonic.nowMilliseconds, 1))
    guard let pointer = unsafe rd_kafka_commit_transaction(client.handle, left) else {
      state = .ready
      return
    }
    let error = unsafe HeadraceError(takingOwnershipOf: pointer, while: "commit the transaction")
    throw committing(error)
  }

  /// Drops everything since `begin`.
  ///
  /// Records on their way are waited for first. One that waits to be sent again may be in the log already, yet
  /// librdkafka (seen with 2.16) gives the sequence numbers of what an abort purges to the next transaction, whose
  /// records would then be refused or, as many of them, taken for duplicates and lost.
  /// - Throws: `newInstance` when they do not settle in half of the time.
  package func abort(timeoutMilliseconds: Int32) throws(HeadraceError) {
    if case .open = state { state = .mustAbort }
    try check(.mustAbort, "abort the transaction")
    let client = try producer.open()
    try? producer.flush(timeoutMilliseconds: timeoutMilliseconds / 2)
    guard producer.outstanding == 0 else {
      throw end(
        HeadraceError(
          .external, "ABORT_UNSETTLED", "abort the transaction: \(producer.outstanding) records are still on their way",
          retry: .newInstance, remedy: "make a new producer and initialize it, which aborts the transaction"))
    }
    guard let pointer = unsafe rd_kafka_abort_transaction(client.handle, timeoutMilliseconds / 2) else {
      _ = producer.takeReports()
      state = .ready
      return
    }
    // An abort is never repeated: a late copy of it could end the next transaction of the same producer epoch.
    throw end(unsafe HeadraceError(takingOwnershipOf: pointer, while: "abort the transaction"))
  }

  /// Frees everything. An open transaction is aborted by the coordinator: at once when a new instance initializes, else
  /// when it times out.
  package func close() { producer.close() }

  /// The number of partitions of a topic.
  package func partitionCount(of topic: String) throws(HeadraceError) -> Int32 {
    try producer.partitionCount(of: topic)
  }
}

@available(*, unavailable)
extension TransactionalProducer: Sendable {}

extension TransactionalProducer {
  private func check(_ expected: State, _ activity: String) throws(HeadraceError) {
    guard state != expected else { return }
    switch state {
    case .ended(let error): throw error
    case .mustAbort:
      throw HeadraceError(
        .internal, "TRANSACTION_FAILED", "\(activity): the transaction failed", retry: .abortTransaction,
        remedy: "abort it, rewind to the committed offset, and start again")
    default:
      throw HeadraceError(.internal, "TRANSACTION_STATE", "\(activity): the producer is \(state)")
    }
  }

  private func call(_ activity: String, _ body: () -> OpaquePointer?) throws(HeadraceError) {
    guard let pointer = unsafe body() else { return }
    throw failure(unsafe HeadraceError(takingOwnershipOf: pointer, while: activity))
  }

  /// Remembers what an error means for the transaction.
  private func failure(_ error: HeadraceError) -> HeadraceError {
    switch error.retry {
    case .sameCall: return error
    case .newInstance, .unknownOutcome: return end(error)
    case .abortTransaction, .never:
      guard state == .open else { return error }
      return abortable(error)
    }
  }

  private func abortable(_ error: HeadraceError) -> HeadraceError {
    var error = error
    error.retry = .abortTransaction
    state = .mustAbort
    return error
  }

  private func committing(_ error: HeadraceError) -> HeadraceError {
    var error = error
    if error.retry == .abortTransaction { return abortable(error) }
    // The request may have reached the coordinator. A fenced producer is told apart: a new instance would fence its
    // successor, so it must not be made without asking whose turn it is.
    if !error.isFencing {
      error.retry = .unknownOutcome
      error.remedy = "make a new producer, initialize it, read the group's committed offset, and decide"
    }
    return end(error)
  }

  private func end(_ error: HeadraceError) -> HeadraceError {
    var error = error
    if error.retry != .unknownOutcome { error.retry = .newInstance }
    state = .ended(error)
    return error
  }
}
