internal import Core

typealias TransactionDecision = Decision<TransactionEvent, TransactionAction>

/// All producer ids and transactions of the broker (KIP-98, 360, 447, 588).
///
/// A value without clock, network or disk. Each request comes with the time and a token and gives a `Decision`. All
/// state is durable, and only `apply` changes it: a request that is decided and refused by the journal has not
/// happened.
///
/// Time: milliseconds since 1970 of one clock that never goes back, since a transaction's timeout goes on over a
/// restart.
struct TransactionCoordinator: Sendable, EventSourced {
  let configuration: TransactionConfiguration
  private(set) var transactions: [String: Transaction] = [:]
  /// The transactional id of each producer id that is in use.
  private var idsByProducer: [Int64: String] = [:]
  /// Producer ids from here on were never given out.
  private(set) var reservedProducerIDsEnd: Int64 = 0
  private var nextProducerID: Int64?
  private var deadlines = DeadlineQueue<String>()
  private var nextExpirationCheckMilliseconds: Int64 = 0

  init(configuration: TransactionConfiguration = TransactionConfiguration()) {
    self.configuration = configuration
  }

  // MARK: Durable state

  mutating func apply(_ event: TransactionEvent) {
    switch event {
    case .producerIDsReserved(let end):
      reservedProducerIDsEnd = max(reservedProducerIDsEnd, end)
    case .initialized(let initialization):
      initialize(initialization)
    case .partitionsAdded(let transactionalID, let partitions, let milliseconds):
      begin(transactionalID, milliseconds)
      transactions[transactionalID]?.partitions.formUnion(partitions)
    case .groupAdded(let transactionalID, let groupID, let milliseconds):
      begin(transactionalID, milliseconds)
      transactions[transactionalID]?.groups.insert(groupID)
    case .prepared(let transactionalID, let isCommitted, let epoch, let lastEpoch, let milliseconds):
      transactions[transactionalID]?.state = isCommitted ? .prepareCommit : .prepareAbort
      transactions[transactionalID]?.epoch = epoch
      transactions[transactionalID]?.lastEpoch = lastEpoch
      transactions[transactionalID]?.updatedMilliseconds = milliseconds
    case .completed(let transactionalID, let milliseconds):
      complete(transactionalID, milliseconds)
    case .expired(let transactionalID):
      guard let transaction = transactions.removeValue(forKey: transactionalID) else { return }
      idsByProducer[transaction.producerID] = nil
    case .restored(let transaction):
      transactions[transaction.transactionalID] = transaction
      idsByProducer[transaction.producerID] = transaction.transactionalID
      armTimeout(of: transaction.transactionalID)
    }
  }

  private mutating func initialize(_ initialization: TransactionEvent.Initialization) {
    let transactionalID = initialization.transactionalID
    if let old = transactions[transactionalID] { idsByProducer[old.producerID] = nil }
    transactions[transactionalID] = Transaction(
      transactionalID: transactionalID, producerID: initialization.producerID, epoch: initialization.epoch,
      lastProducerID: initialization.lastProducerID, lastEpoch: initialization.lastEpoch,
      timeoutMilliseconds: initialization.timeoutMilliseconds, updatedMilliseconds: initialization.milliseconds)
    idsByProducer[initialization.producerID] = transactionalID
  }

  private mutating func begin(_ transactionalID: String, _ milliseconds: Int64) {
    transactions[transactionalID]?.updatedMilliseconds = milliseconds
    guard transactions[transactionalID]?.state.isIdle == true else { return }
    transactions[transactionalID]?.state = .ongoing
    transactions[transactionalID]?.startedMilliseconds = milliseconds
    armTimeout(of: transactionalID)
  }

  private mutating func complete(_ transactionalID: String, _ milliseconds: Int64) {
    guard let state = transactions[transactionalID]?.state, state.isPrepared else { return }
    transactions[transactionalID]?.state = state == .prepareCommit ? .completeCommit : .completeAbort
    transactions[transactionalID]?.partitions = []
    transactions[transactionalID]?.groups = []
    transactions[transactionalID]?.startedMilliseconds = -1
    transactions[transactionalID]?.updatedMilliseconds = milliseconds
  }

  /// The fewest events that re-create the durable state, for the compaction of the journal.
  func snapshotEvents() -> [TransactionEvent] {
    let restored = transactions.sorted { $0.key < $1.key }.map { TransactionEvent.restored($0.value) }
    return (reservedProducerIDsEnd > 0 ? [.producerIDsReserved(end: reservedProducerIDsEnd)] : []) + restored
  }

  // MARK: Producer ids

  /// A producer id that nobody ever had, and the reservation to journal before it is told.
  mutating func takeProducerID() -> (id: Int64, events: [TransactionEvent]) {
    let id = max(nextProducerID ?? reservedProducerIDsEnd, 0)
    nextProducerID = id &+ 1
    guard id >= reservedProducerIDsEnd else { return (id, []) }
    return (id, [.producerIDsReserved(end: id &+ configuration.producerIDsPerReservation)])
  }

  func transaction(ofProducer producerID: Int64) -> Transaction? {
    idsByProducer[producerID].flatMap { transactions[$0] }
  }

  // MARK: Time

  /// When `advance` should be called next; it may turn out that nothing is due.
  var nextDeadlineMilliseconds: Int64 {
    min(deadlines.nextMilliseconds ?? .max, nextExpirationCheckMilliseconds)
  }

  private mutating func armTimeout(of transactionalID: String) {
    guard let deadline = transactions[transactionalID]?.deadlineMilliseconds else { return }
    deadlines.arm(transactionalID, at: deadline)
  }

  /// Aborts the transactions that took longer than their timeout, and forgets ids that nobody uses any more.
  mutating func advance(nowMilliseconds: Int64) -> TransactionDecision {
    var events: [TransactionEvent] = []
    var actions: [TransactionAction] = []
    while let transactionalID = deadlines.popDue(nowMilliseconds) {
      guard let transaction = transactions[transactionalID], let deadline = transaction.deadlineMilliseconds else {
        continue
      }
      // Also when it is due now: until the abort is durable there has to be another attempt.
      deadlines.arm(transactionalID, at: max(deadline, nowMilliseconds + 1))
      guard deadline <= nowMilliseconds else { continue }
      let (event, markers) = fence(transaction, lastEpoch: -1, nowMilliseconds)
      events.append(event)
      actions.append(.writeMarkers(markers))
    }
    return Decision(events: events + expirations(nowMilliseconds), actions: actions)
  }

  private mutating func expirations(_ nowMilliseconds: Int64) -> [TransactionEvent] {
    guard nextExpirationCheckMilliseconds <= nowMilliseconds else { return [] }
    nextExpirationCheckMilliseconds = nowMilliseconds + configuration.idExpirationCheckMilliseconds
    return transactions.values
      .filter { $0.state.isIdle && nowMilliseconds &- $0.updatedMilliseconds >= configuration.idExpirationMilliseconds }
      .map(\.transactionalID).sorted().map { .expired(transactionalID: $0) }
  }

  /// Aborts an open transaction on behalf of somebody else than its producer, whose epoch ends with it.
  func fence(
    _ transaction: Transaction, lastEpoch: Int16, _ nowMilliseconds: Int64
  ) -> (TransactionEvent, TransactionMarkers) {
    var fenced = transaction
    if fenced.epoch < .max { fenced.epoch += 1 }
    let event = TransactionEvent.prepared(
      transactionalID: fenced.transactionalID, isCommitted: false, epoch: fenced.epoch, lastEpoch: lastEpoch,
      milliseconds: nowMilliseconds)
    return (event, markers(of: fenced, isCommitted: false, token: nil))
  }
}
