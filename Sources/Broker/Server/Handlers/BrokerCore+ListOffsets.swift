internal import Core

extension BrokerCore {
  func handle(_ request: ListOffsetsRequest, _ exchange: Exchange) {
    exchange.reply(
      ListOffsetsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { topic in
          .init(name: topic.name, partitions: topic.partitions.map { offset(for: $0, of: topic.name, request) })
        }))
  }

  func handle(_ request: OffsetForLeaderEpochRequest, _ exchange: Exchange) {
    exchange.reply(
      OffsetForLeaderEpochResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { topic in
          .init(
            name: topic.name,
            partitions: topic.partitions.map { item in
              guard let partition = partition(topic.name, item.index) else {
                return .init(errorCode: .unknownTopicOrPartition, index: item.index)
              }
              if let error = Self.leaderEpochError(item.currentLeaderEpoch) {
                return .init(errorCode: error, index: item.index)
              }
              guard item.leaderEpoch == 0 else { return .init(index: item.index) }
              return .init(index: item.index, leaderEpoch: 0, endOffset: partition.log.logEndOffset)
            })
        }))
  }

  private func offset(
    for item: ListOffsetsRequest.Partition, of topicName: String, _ request: ListOffsetsRequest
  ) -> ListOffsetsResponse.Partition {
    guard let log = partition(topicName, item.index)?.log else {
      return .init(index: item.index, errorCode: .unknownTopicOrPartition)
    }
    if let error = Self.leaderEpochError(item.currentLeaderEpoch) { return .init(index: item.index, errorCode: error) }
    let end = request.isolationLevel == .readCommitted ? log.lastStableOffset : log.logEndOffset
    func found(_ offset: Int64, timestamp: Int64 = -1) -> ListOffsetsResponse.Partition {
      .init(index: item.index, timestampMilliseconds: timestamp, offset: offset, leaderEpoch: 0)
    }
    do throws(LogError) {
      switch item.timestampMilliseconds {
      case -1: return found(end)
      case -2: return found(log.logStartOffset)
      case -3:
        guard let newest = try log.offsetOfMaximumTimestamp() else { return found(-1) }
        return found(newest.offset, timestamp: newest.timestamp)
      case let timestamp:
        guard timestamp >= 0, let first = try log.offset(forTimestamp: timestamp), first.offset < end else {
          return .init(index: item.index)
        }
        return found(first.offset, timestamp: first.timestamp)
      }
    } catch {
      return .init(index: item.index, errorCode: error.errorCode)
    }
  }
}
