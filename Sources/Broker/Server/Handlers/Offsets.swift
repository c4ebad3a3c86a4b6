internal import Core

extension BrokerCore {
  func handle(_ request: OffsetCommitRequest, _ exchange: Exchange) {
    let commit = GroupOffsetCommit(
      groupID: request.groupID, memberID: request.memberID, instanceID: request.groupInstanceID,
      generation: request.generation,
      partitions: request.topics.flatMap { topic in
        topic.partitions.compactMap { item in
          guard partition(topic.name, item.index) != nil else { return nil }
          return GroupOffsetCommit.Partition(
            partition: TopicPartition(topic: topic.name, partition: item.index), offset: item.committedOffset,
            leaderEpoch: item.committedLeaderEpoch, metadata: item.committedMetadata ?? "")
        }
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
    let verdict = transactions.mayCommitOffsets(
      transactionalID: request.transactionalID, producerID: request.producerID, epoch: request.producerEpoch,
      groupID: request.groupID)
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
      partitions: request.topics.flatMap { topic in
        topic.partitions.compactMap { item in
          guard partition(topic.name, item.index) != nil else { return nil }
          return GroupOffsetCommit.Partition(
            partition: TopicPartition(topic: topic.name, partition: item.index), offset: item.committedOffset,
            leaderEpoch: item.committedLeaderEpoch, metadata: item.committedMetadata ?? "")
        }
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
    let offsets = groups.offsets
    let wanted: [TopicEntry<Int32>]
    if let topics = request.topics {
      wanted = topics
    } else {
      let known = offsets.partitions(of: request.groupID, includingStaged: requireStable)
      wanted = Dictionary(grouping: known, by: \.topic).sorted { $0.key < $1.key }.map {
        TopicEntry(name: $0.key, partitions: $0.value.map(\.partition))
      }
    }
    return wanted.map { topic in
      TopicEntry(
        name: topic.name,
        partitions: topic.partitions.map { index in
          let partition = TopicPartition(topic: topic.name, partition: index)
          if requireStable && offsets.isStaged(partition, of: request.groupID) {
            return .init(index: index, errorCode: .unstableOffsetCommit)
          }
          guard let committed = offsets.committed(partition, of: request.groupID) else { return .init(index: index) }
          return .init(
            index: index, committedOffset: committed.offset, committedLeaderEpoch: committed.leaderEpoch,
            metadata: committed.metadata)
        })
    }
  }

  func handle(_ request: OffsetDeleteRequest, _ exchange: Exchange) {
    let partitions = request.topics.flatMap { topic in
      topic.partitions.compactMap { index in
        partition(topic.name, index) == nil ? nil : TopicPartition(topic: topic.name, partition: index)
      }
    }
    settle(
      groups.deleteOffsets(
        partitions, of: request.groupID, token: waitForReply(exchange, request),
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

  /// Codes of the partitions that exist, in the order in which the machine got them, put beside those that do not exist.
  private func results(_ topics: [(name: String, indexes: [Int32])], _ codes: [ErrorCode]) -> [TopicEntry<PartitionError>] {
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
}
