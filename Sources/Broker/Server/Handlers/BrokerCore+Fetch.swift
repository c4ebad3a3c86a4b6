internal import Core
internal import NIOCore

/// A fetch that found less than it asked for and waits for more, or for its time to pass.
final class WaitingFetch {
  let request: FetchRequest
  let exchange: Exchange
  var isAnswered = false

  init(_ request: FetchRequest, _ exchange: Exchange) {
    self.request = request
    self.exchange = exchange
  }
}

extension BrokerCore {
  /// What a fetch would be answered with now.
  private struct Fetched {
    var topics: [FetchResponse.Topic] = []
    var recordBytes = 0
    var hasError = false
  }

  func handle(_ request: FetchRequest, _ exchange: Exchange) {
    let fetched = read(request)
    let isSatisfied = fetched.recordBytes >= Int(request.minBytes) || fetched.hasError || request.topics.isEmpty
    if isSatisfied || request.maxWaitMilliseconds <= 0 {
      answer(exchange, with: fetched)
      return
    }
    wait(WaitingFetch(request, exchange))
  }

  /// The partition's readable end moved: fetches that wait for it look again.
  func answerWaitingFetches(of partition: Partition) {
    guard !partition.waitingFetches.isEmpty else { return }
    let waiting = partition.waitingFetches
    partition.waitingFetches = []
    for fetch in waiting where !fetch.isAnswered && fetch.exchange.connection.isOpen {
      let fetched = read(fetch.request)
      if fetched.recordBytes >= Int(fetch.request.minBytes) || fetched.hasError {
        fetch.isAnswered = true
        answer(fetch.exchange, with: fetched)
      } else {
        partition.waitingFetches.append(fetch)
      }
    }
  }

  private func wait(_ fetch: WaitingFetch) {
    for topic in fetch.request.topics {
      for item in topic.partitions {
        guard let partition = partition(topic.name, item.index) else { continue }
        // Those answered through another partition are swept here, so that the list stays as long as the readers are
        // many.
        partition.waitingFetches.removeAll { $0.isAnswered || !$0.exchange.connection.isOpen }
        partition.waitingFetches.append(fetch)
      }
    }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(fetch.request.maxWaitMilliseconds))) { [unowned self] in
      guard !fetch.isAnswered, fetch.exchange.connection.isOpen else { return }
      fetch.isAnswered = true
      answer(fetch.exchange, with: read(fetch.request))
    }
  }

  private func answer(_ exchange: Exchange, with fetched: Fetched) {
    // Session 0: no incremental session was made, the next fetch is full again (KIP-227).
    exchange.reply(
      FetchResponse(throttleMilliseconds: exchange.throttleMilliseconds, topics: fetched.topics))
  }

  private func read(_ request: FetchRequest) -> Fetched {
    var fetched = Fetched()
    var remainingBytes = min(Int(request.maxBytes), configuration.limits.fetchResponseBytes)
    fetched.topics = request.topics.map { topic in
      FetchResponse.Topic(
        name: topic.name,
        partitions: topic.partitions.map { item in
          let result = read(
            item, of: topic.name, request.isolationLevel, remainingBytes: remainingBytes,
            isFirst: fetched.recordBytes == 0)
          let bytes = result.records.reduce(0) { $0 + $1.readableBytes }
          remainingBytes -= bytes
          fetched.recordBytes += bytes
          if result.errorCode != .none { fetched.hasError = true }
          return result
        })
    }
    return fetched
  }

  /// - Parameter isFirst: nothing was read yet: one whole batch goes out even if it is larger than all limits (KIP-74).
  private func read(
    _ item: FetchRequest.Partition, of topicName: String, _ isolation: IsolationLevel, remainingBytes: Int,
    isFirst: Bool
  ) -> FetchResponse.Partition {
    guard let partition = partition(topicName, item.index) else {
      return .init(index: item.index, errorCode: .unknownTopicOrPartition)
    }
    let log = partition.log
    var response = FetchResponse.Partition(
      index: item.index, highWatermark: log.logEndOffset, lastStableOffset: log.lastStableOffset,
      logStartOffset: log.logStartOffset)
    if isolation == .readCommitted { response.abortedTransactions = [] }
    if let error = Self.leaderEpochError(item.currentLeaderEpoch) {
      response.errorCode = error
      return response
    }
    let limitBytes = min(Int(item.maxBytes), remainingBytes)
    guard limitBytes > 0 || isFirst else { return response }
    do throws(LogError) {
      var records = ByteBuffer()
      let result = try log.read(
        from: item.fetchOffset, maximumBytes: max(limitBytes, 0),
        isolation: isolation == .readCommitted ? .lastStable : .highWatermark, minimumOneBatch: isFirst, into: &records)
      if result.sizeBytes > 0 { response.records = [records] }
      if isolation == .readCommitted {
        response.abortedTransactions = log.abortedTransactions(from: item.fetchOffset, upTo: result.endOffset).map {
          .init(producerID: $0.producerID, firstOffset: $0.firstOffset)
        }
      }
    } catch {
      response.errorCode = error.errorCode
    }
    return response
  }

  /// This broker leads every partition in epoch 0 for ever; a client that knows another epoch knows another broker.
  static func leaderEpochError(_ epoch: Int32) -> ErrorCode? {
    epoch > 0 ? .unknownLeaderEpoch : nil
  }
}
