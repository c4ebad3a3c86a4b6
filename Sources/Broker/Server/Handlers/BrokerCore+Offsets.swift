internal import Core

extension BrokerCore {
  func handle(_ request: OffsetCommitRequest, _ exchange: Exchange) {
    let commit = GroupOffsetCommit(
      groupID: request.groupID, memberID: request.memberID, instanceID: request.groupInstanceID,
      generation: request.generation,
      partitions: existing(request.topics, \.index) {
        .init(
          partition: $0, offset: $1.committedOffset, leaderEpoch: $1.committedLeaderEpoch,
          metadata: $1.committedMetadata ?? "")
      })
    settle(
      groups.commitOffsets(
        commit, token: waitForReply(exchange, request), nowMilliseconds: coordinatorMilliseconds))
  }

  func answerOffsetCommit(_ waiting: WaitingReply, _ codes: [ErrorCode]) {
    KillPoint.pass(.offsetCommitBeforeResponse)
    let throttle = waiting.exchange.throttleMilliseconds
    if let request = waiting.request as? OffsetCommitRequest {
      waiting.exchange.reply(
        OffsetCommitResponse(
          throttleMilliseconds: throttle,
          topics: results(request.topics.map { ($0.name, $0.partitions.map(\.index)) }, codes)))
    } else if let request = waiting.request as? TxnOffsetCommitRequest {
      waiting.exchange.reply(
        TxnOffsetCommitResponse(
          throttleMilliseconds: throttle,
          topics: results(request.topics.map { ($0.name, $0.partitions.map(\.index)) }, codes)))
    }
  }

  func handle(_ request: TxnOffsetCommitRequest, _ exchange: Exchange) {
    let producer = TransactionalProducer(
      apiVersion: exchange.version, transactionalID: request.transactionalID, producerID: request.producerID,
      epoch: request.producerEpoch)
    let verdict = transactions.errorOfStagingOffsets(of: request.groupID, from: producer)
    guard verdict == .none else {
      exchange.reply(
        TxnOffsetCommitResponse(
          throttleMilliseconds: exchange.throttleMilliseconds,
          topics: request.topics.map { topic in
            .init(name: topic.name, partitions: topic.partitions.map { .init(index: $0.index, errorCode: verdict) })
          }))
      return
    }
    let commit = GroupOffsetCommit(
      groupID: request.groupID, memberID: request.memberID, instanceID: request.groupInstanceID,
      generation: request.generation,
      partitions: existing(request.topics, \.index) {
        .init(
          partition: $0, offset: $1.committedOffset, leaderEpoch: $1.committedLeaderEpoch,
          metadata: $1.committedMetadata ?? "")
      })
    settle(
      groups.stageOffsets(
        commit, producerID: request.producerID, token: waitForReply(exchange, request),
        nowMilliseconds: coordinatorMilliseconds))
  }

  func handle(_ request: OffsetFetchRequest, _ exchange: Exchange) {
    exchange.reply(
      OffsetFetchResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        groups: request.groups.map { group in
          .init(groupID: group.groupID, topics: committedOffsets(group, requireStable: request.requireStable))
        }))
  }

  private func committedOffsets(
    _ request: OffsetFetchRequest.Group, requireStable: Bool
  ) -> [TopicEntry<OffsetFetchResponse.Partition>] {
    let wanted = request.topics?.flatMap { topic in
      topic.partitions.map { TopicPartition(topic: topic.name, partition: $0) }
    }
    let fetched = groups.fetchOffsets(of: request.groupID, wanted, requireStable: requireStable)
    var entries: [TopicEntry<OffsetFetchResponse.Partition>] = []
    for item in fetched {
      let answer = OffsetFetchResponse.Partition(
        index: item.partition.partition, committedOffset: item.offset, committedLeaderEpoch: item.leaderEpoch,
        metadata: item.metadata, errorCode: item.error)
      // The machine keeps the order of the request, in which the partitions of a topic stand together.
      if let last = entries.indices.last, entries[last].name == item.partition.topic {
        entries[last].partitions.append(answer)
      } else {
        entries.append(TopicEntry(name: item.partition.topic, partitions: [answer]))
      }
    }
    return entries
  }

  func handle(_ request: OffsetDeleteRequest, _ exchange: Exchange) {
    let partitions = request.topics.flatMap { topic in
      topic.partitions.compactMap { index in
        partition(topic.name, index) == nil ? nil : TopicPartition(topic: topic.name, partition: index)
      }
    }
    settle(
      groups.deleteOffsets(
        of: request.groupID, partitions, token: waitForReply(exchange, request),
        nowMilliseconds: coordinatorMilliseconds))
  }

  func answerOffsetDelete(_ waiting: WaitingReply, _ deletion: OffsetDeleteReply) {
    guard let request = waiting.request as? OffsetDeleteRequest else { return }
    waiting.exchange.reply(
      OffsetDeleteResponse(
        errorCode: deletion.error, throttleMilliseconds: waiting.exchange.throttleMilliseconds,
        topics: deletion.error == .none
          ? results(request.topics.map { ($0.name, $0.partitions) }, deletion.partitions) : []))
  }

  /// Codes of the partitions that exist, in the order in which the machine got them, put beside those that do not
  /// exist.
  private func results(_ topics: [(name: String, indexes: [Int32])], _ codes: [ErrorCode]) -> [TopicEntry<
    PartitionError
  >] {
    var rest = codes[...]
    return topics.map { topic in
      TopicEntry(
        name: topic.name,
        partitions: topic.indexes.map { index in
          guard partition(topic.name, index) != nil else {
            return PartitionError(index: index, errorCode: .unknownTopicOrPartition)
          }
          return PartitionError(index: index, errorCode: rest.popFirst() ?? .unknownServerError)
        })
    }
  }

  /// The partitions of a request that exist, each turned into what the machine takes.
  private func existing<Item, Result>(
    _ topics: [TopicEntry<Item>], _ index: (Item) -> Int32, _ make: (TopicPartition, Item) -> Result
  ) -> [Result] {
    topics.flatMap { topic in
      topic.partitions.compactMap { item in
        partition(topic.name, index(item)).map { make(TopicPartition(topic: topic.name, partition: $0.index), item) }
      }
    }
  }
}
