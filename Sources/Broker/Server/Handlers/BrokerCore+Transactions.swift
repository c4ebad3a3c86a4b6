internal import Core
internal import Logging
internal import NIOCore

extension BrokerCore {
  func handle(_ request: InitProducerIDRequest, _ exchange: Exchange) {
    let wanted = ProducerInitialization(
      apiVersion: exchange.version, transactionalID: request.transactionalID,
      timeoutMilliseconds: Int64(request.transactionTimeoutMilliseconds), producerID: request.producerID,
      epoch: request.producerEpoch)
    settle(
      transactions.initProducerID(wanted, token: waitForReply(exchange), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: AddPartitionsToTxnRequest, _ exchange: Exchange) {
    let partitions = request.topics.flatMap { topic in
      topic.partitions.map { TopicPartition(topic: topic.name, partition: $0) }
    }
    // All or nothing: a partition that does not exist keeps the others out as well.
    guard partitions.allSatisfy({ partition($0.topic, $0.partition) != nil }) else {
      let topics = request.topics.map { topic in
        TopicEntry(
          name: topic.name,
          partitions: topic.partitions.map { index in
            PartitionError(
              index: index,
              errorCode: partition(topic.name, index) == nil ? .unknownTopicOrPartition : .operationNotAttempted)
          })
      }
      exchange.reply(AddPartitionsToTxnResponse(throttleMilliseconds: exchange.throttleMilliseconds, topics: topics))
      return
    }
    let producer = TransactionalProducer(
      apiVersion: exchange.version, transactionalID: request.transactionalID, producerID: request.producerID,
      epoch: request.producerEpoch)
    settle(
      transactions.addPartitions(
        partitions, from: producer, token: waitForReply(exchange, request), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: AddOffsetsToTxnRequest, _ exchange: Exchange) {
    let producer = TransactionalProducer(
      apiVersion: exchange.version, transactionalID: request.transactionalID, producerID: request.producerID,
      epoch: request.producerEpoch)
    settle(
      transactions.addOffsets(
        of: request.groupID, from: producer, token: waitForReply(exchange), nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: EndTxnRequest, _ exchange: Exchange) {
    let producer = TransactionalProducer(
      apiVersion: exchange.version, transactionalID: request.transactionalID, producerID: request.producerID,
      epoch: request.producerEpoch)
    settle(
      transactions.endTransaction(
        isCommitted: request.committed, from: producer, token: waitForReply(exchange),
        nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: DescribeTransactionsRequest, _ exchange: Exchange) {
    let known = Dictionary(
      transactions.listTransactions().map { ($0.transactionalID, $0) }, uniquingKeysWith: { first, _ in first })
    exchange.reply(
      DescribeTransactionsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        transactions: request.transactionalIDs.map { id in
          guard let found = known[id] else { return .init(errorCode: .transactionalIdNotFound, transactionalID: id) }
          let topics = Dictionary(grouping: found.partitions, by: \.topic).sorted { $0.key < $1.key }
          return .init(
            transactionalID: id, state: found.state.rawValue,
            timeoutMilliseconds: Int32(clamping: found.timeoutMilliseconds),
            startTimeMilliseconds: found.startedMilliseconds, producerID: found.producerID, producerEpoch: found.epoch,
            topics: topics.map { TopicEntry(name: $0.key, partitions: $0.value.map(\.partition).sorted()) })
        }))
  }

  func handle(_ request: ListTransactionsRequest, _ exchange: Exchange) {
    let known = Set(TransactionState.allCases.map(\.rawValue))
    let listed = transactions.listTransactions().filter { transaction in
      (request.stateFilters.isEmpty || request.stateFilters.contains(transaction.state.rawValue))
        && (request.producerIDFilters.isEmpty || request.producerIDFilters.contains(transaction.producerID))
    }
    exchange.reply(
      ListTransactionsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        unknownStateFilters: request.stateFilters.filter { !known.contains($0) },
        transactions: listed.map {
          .init(transactionalID: $0.transactionalID, producerID: $0.producerID, state: $0.state.rawValue)
        }))
  }

  // MARK: Decisions

  /// Journal, memory, then answers and markers: in that order.
  func settle(_ decision: consuming TransactionDecision) {
    let actions = decision.settle(in: &transactions) { append($0.map(JournalRecord.transaction)) }
    for action in actions { perform(action) }
    transactionAlarm.ring(at: transactions.nextDeadlineMilliseconds, nowMilliseconds: coordinatorMilliseconds)
  }

  func advanceTransactions() {
    settle(transactions.advance(nowMilliseconds: coordinatorMilliseconds))
  }

  /// What was decided before the process died is carried out before anybody is served.
  func finishPreparedTransactions() {
    for markers in transactions.transactionsToFinish() { carryOut(markers) }
  }

  private func perform(_ action: TransactionAction) {
    switch action {
    case .initProducerID(let token, let reply):
      answer(token) {
        InitProducerIDResponse(
          throttleMilliseconds: $0, errorCode: reply.error, producerID: reply.producerID, producerEpoch: reply.epoch)
      }
    case .addPartitions(let token, let code):
      guard let waiting = waitingReplies.removeValue(forKey: token),
        let request = waiting.request as? AddPartitionsToTxnRequest
      else { return }
      waiting.exchange.reply(
        AddPartitionsToTxnResponse(
          throttleMilliseconds: waiting.exchange.throttleMilliseconds,
          topics: request.topics.map { topic in
            TopicEntry(
              name: topic.name, partitions: topic.partitions.map { PartitionError(index: $0, errorCode: code) })
          }))
    case .addOffsets(let token, let code):
      answer(token) { AddOffsetsToTxnResponse(throttleMilliseconds: $0, errorCode: code) }
    case .endTransaction(let token, let code):
      answer(token) { EndTxnResponse(throttleMilliseconds: $0, errorCode: code) }
    case .writeMarkers(let markers):
      KillPoint.pass(.transactionAfterPrepare)
      carryOut(markers)
    }
  }

  private func answer(_ token: ReplyToken, _ make: (_ throttleMilliseconds: Int32) -> some WireWritable) {
    guard let waiting = waitingReplies.removeValue(forKey: token) else { return }
    waiting.exchange.reply(make(waiting.exchange.throttleMilliseconds))
  }

  /// Brings a decided outcome to every partition and group, and completes it.
  ///
  /// Each step can be repeated: a partition gets its marker only while the transaction is open there, so a process that
  /// died between two markers goes on with the second. A step that the disk refuses is tried again until it succeeds;
  /// the outcome stands all the while.
  private func carryOut(_ markers: TransactionMarkers) {
    var ended: [Partition] = []
    do throws(LogError) {
      for target in markers.partitions {
        // A partition whose topic was deleted has nobody left to tell.
        guard let partition = partition(target.topic, target.partition),
          partition.log.hasOpenTransaction(producerID: markers.producerID, producerEpoch: markers.epoch)
        else { continue }
        if !ended.isEmpty { KillPoint.pass(.transactionBetweenMarkers) }
        try partition.log.append(
          TransactionMarker(
            producerID: markers.producerID, producerEpoch: markers.epoch, kind: markers.isCommitted ? .commit : .abort,
            coordinatorEpoch: 0), nowMilliseconds: wallMilliseconds)
        ended.append(partition)
      }
    } catch {
      finishLater(markers, because: error.message)
      for partition in ended { answerWaitingFetches(of: partition) }
      return
    }
    KillPoint.pass(.transactionBeforeComplete)
    complete(markers)
    for partition in ended { answerWaitingFetches(of: partition) }
  }

  /// One journal frame holds the groups' new offsets and the completion.
  private func complete(_ markers: TransactionMarkers) {
    let settled = GroupEvent.transactionEnded(producerID: markers.producerID, isCommitted: markers.isCommitted)
    var isRefused = false
    let decision = transactions.markersWritten(markers, nowMilliseconds: coordinatorMilliseconds)
    let actions = decision.settle(in: &transactions) { events in
      isRefused = !append([.group(settled)] + events.map(JournalRecord.transaction))
      return !isRefused
    }
    if isRefused {
      finishLater(markers, because: "the journal refuses the completion")
    } else {
      groups.apply(settled)
    }
    KillPoint.pass(.transactionBeforeResponse)
    for action in actions { perform(action) }
  }

  /// Nothing is held over: the coordinator names what is unfinished when its time comes, and the producer asks again.
  private func finishLater(_ markers: TransactionMarkers, because reason: String) {
    logger.error(
      "a decided transaction waits for the disk",
      metadata: ["transactional.id": "\(markers.transactionalID)", "reason": "\(reason)"])
    settle(transactions.markersFailed(markers))
    guard !isFinishingScheduled else { return }
    isFinishingScheduled = true
    loop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { [unowned self] in
      isFinishingScheduled = false
      finishPreparedTransactions()
    }
  }
}
