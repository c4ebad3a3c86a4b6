import Core
import Testing

@testable import Broker

/// Both coordinators as the server runs them, with one journal, one clock, and partitions that only know which producer
/// has a transaction open in them.
final class TransactionHarness {
  enum Entry: Equatable {
    case transaction(TransactionEvent)
    case group(GroupEvent)
  }

  struct Marker: Equatable {
    var partition: TopicPartition
    var producerID: Int64
    var epoch: Int16
    var isCommitted: Bool
  }

  var transactions: TransactionCoordinator
  var groups = GroupCoordinator(seed: 1)
  var nowMilliseconds: Int64 = 1_700_000_000_000
  private(set) var journal: [Entry] = []
  private(set) var markers: [Marker] = []
  /// The disk is full.
  var isJournalRefusing = false
  /// Decided transactions whose markers are not written yet, while `holdsMarkers`.
  private(set) var heldMarkers: [TransactionMarkers] = []
  var holdsMarkers = false
  /// No partition can be written.
  var failsMarkers = false
  private(set) var issued: Set<ReplyToken> = []
  private(set) var answers: [ReplyToken: TransactionAction] = [:]
  private(set) var offsetAnswers: [ReplyToken: [ErrorCode]] = [:]
  private(set) var faults: [String] = []
  /// Called for each marker, in the order in which they are written.
  var onMarkers: (TransactionMarkers) -> Void = { _ in }
  private var nextToken: UInt64 = 1
  private let configuration: TransactionConfiguration

  init(_ configuration: TransactionConfiguration = TransactionConfiguration()) {
    self.configuration = configuration
    transactions = TransactionCoordinator(configuration: configuration)
  }

  /// The state that a journal leaves.
  init(replaying journal: [Entry], at nowMilliseconds: Int64) {
    configuration = TransactionConfiguration()
    transactions = TransactionCoordinator(configuration: configuration)
    self.journal = journal
    self.nowMilliseconds = nowMilliseconds
    replay()
  }

  var waiting: Set<ReplyToken> { issued.subtracting(answers.keys).subtracting(offsetAnswers.keys) }

  func issueToken() -> ReplyToken {
    defer { nextToken += 1 }
    let token = ReplyToken(rawValue: nextToken)
    issued.insert(token)
    return token
  }

  // MARK: The server's part

  func settle(_ decision: consuming TransactionDecision) {
    let isRefusing = isJournalRefusing
    var written: [Entry] = []
    let actions = decision.settle(in: &transactions) { events in
      written = events.map { .transaction($0) }
      return !isRefusing
    }
    if !isRefusing { journal += written }
    for action in actions { perform(action) }
  }

  func settle(_ decision: consuming GroupDecision) -> [GroupReply] {
    let isRefusing = isJournalRefusing
    var written: [Entry] = []
    let replies = decision.settle(in: &groups) { events in
      written = events.map { .group($0) }
      return !isRefusing
    }
    if !isRefusing { journal += written }
    return replies
  }

  private func perform(_ action: TransactionAction) {
    switch action {
    case .writeMarkers(let decided):
      if failsMarkers {
        settle(transactions.markersFailed(decided))
      } else if holdsMarkers {
        heldMarkers.append(decided)
      } else {
        finish(decided)
      }
    case .initProducerID(let token, _), .addPartitions(let token, _), .addOffsets(let token, _),
      .endTransaction(let token, _):
      if answers[token] != nil || !issued.contains(token) { faults.append("\(token) was answered again: \(action)") }
      answers[token] = action
    }
  }

  func finish(_ decided: TransactionMarkers) {
    for partition in decided.partitions {
      markers.append(
        Marker(
          partition: partition, producerID: decided.producerID, epoch: decided.epoch,
          isCommitted: decided.isCommitted))
    }
    onMarkers(decided)
    if !decided.groups.isEmpty {
      _ = settle(groups.endTransaction(ofProducer: decided.producerID, isCommitted: decided.isCommitted))
      // Without the groups' half there is no completion.
      guard !isJournalRefusing else { return settle(transactions.markersFailed(decided)) }
    }
    settle(transactions.markersWritten(decided, nowMilliseconds: nowMilliseconds))
  }

  func writeHeldMarkers() {
    let held = heldMarkers
    heldMarkers = []
    for decided in held { finish(decided) }
  }

  /// What the server does at start, and now and then after a full disk.
  func finishDecided() {
    for decided in transactions.transactionsToFinish() { finish(decided) }
  }

  func advance(by milliseconds: Int64) {
    let end = nowMilliseconds + milliseconds
    while transactions.nextDeadlineMilliseconds <= end {
      nowMilliseconds = max(nowMilliseconds, transactions.nextDeadlineMilliseconds)
      settle(transactions.advance(nowMilliseconds: nowMilliseconds))
    }
    nowMilliseconds = end
  }

  /// The broker is killed and comes back; held markers were never written, and who waited gets no answer.
  func restart() {
    issued.subtract(waiting)
    heldMarkers = []
    replay()
  }

  private func replay() {
    transactions = TransactionCoordinator(configuration: configuration)
    groups = GroupCoordinator(seed: 2)
    for entry in journal {
      switch entry {
      case .transaction(let event): transactions.apply(event)
      case .group(let event): groups.apply(event)
      }
    }
  }
}

// MARK: Requests

extension TransactionHarness {
  func initialize(
    _ transactionalID: String? = "app", version: Int16 = 4, timeout: Int64 = 60_000, producerID: Int64 = -1,
    epoch: Int16 = -1
  ) -> ProducerInitializationReply? {
    let token = issueToken()
    let request = ProducerInitialization(
      apiVersion: version, transactionalID: transactionalID, timeoutMilliseconds: timeout, producerID: producerID,
      epoch: epoch)
    settle(transactions.initProducerID(request, token: token, nowMilliseconds: nowMilliseconds))
    guard case .initProducerID(_, let reply) = answers[token] else { return nil }
    return reply
  }

  /// A producer that is sure to be the current one.
  func makeProducer(_ transactionalID: String = "app", version: Int16 = 3, timeout: Int64 = 60_000) throws
    -> TransactionalProducer
  {
    let reply = try #require(initialize(transactionalID, timeout: timeout))
    try #require(reply.error == ErrorCode.none)
    return TransactionalProducer(
      apiVersion: version, transactionalID: transactionalID, producerID: reply.producerID, epoch: reply.epoch)
  }

  func add(_ partitions: [TopicPartition], _ producer: TransactionalProducer) -> ErrorCode? {
    let token = issueToken()
    settle(transactions.addPartitions(partitions, from: producer, token: token, nowMilliseconds: nowMilliseconds))
    guard case .addPartitions(_, let error) = answers[token] else { return nil }
    return error
  }

  func add(group groupID: String, _ producer: TransactionalProducer) -> ErrorCode? {
    let token = issueToken()
    settle(transactions.addOffsets(of: groupID, from: producer, token: token, nowMilliseconds: nowMilliseconds))
    guard case .addOffsets(_, let error) = answers[token] else { return nil }
    return error
  }

  func stage(_ offsets: [TopicPartition: Int64], group groupID: String = "g", _ producer: TransactionalProducer)
    -> ErrorCode?
  {
    let error = transactions.errorOfStagingOffsets(of: groupID, from: producer)
    guard error == ErrorCode.none else { return error }
    let token = issueToken()
    let request = GroupOffsetCommit(
      groupID: groupID, memberID: "", instanceID: nil, generation: -1,
      partitions: offsets.sorted { $0.key < $1.key }.map {
        GroupOffsetCommit.Partition(partition: $0.key, offset: $0.value, leaderEpoch: -1, metadata: "")
      })
    let replies = settle(
      groups.stageOffsets(
        request, producerID: producer.producerID, token: token, nowMilliseconds: nowMilliseconds))
    guard case .offsetCommit(_, let codes)? = replies.first else { return nil }
    offsetAnswers[token] = codes
    return codes.first
  }

  @discardableResult
  func end(_ isCommitted: Bool, _ producer: TransactionalProducer) -> ReplyToken {
    let token = issueToken()
    settle(
      transactions.endTransaction(
        isCommitted: isCommitted, from: producer, token: token, nowMilliseconds: nowMilliseconds))
    return token
  }

  func ended(_ token: ReplyToken) -> ErrorCode? {
    guard case .endTransaction(_, let error) = answers[token] else { return nil }
    return error
  }

  func mayProduce(_ partition: TopicPartition, _ producer: TransactionalProducer) -> ErrorCode {
    transactions.mayProduce(producerID: producer.producerID, epoch: producer.epoch, partition: partition)
  }

  func offset(_ partition: TopicPartition, group groupID: String = "g") -> Int64 {
    groups.fetchOffsets(of: groupID, [partition], requireStable: false).first?.offset ?? -2
  }

  func state(_ transactionalID: String = "app") -> TransactionState? {
    transactions.transactions[transactionalID]?.state
  }
}
