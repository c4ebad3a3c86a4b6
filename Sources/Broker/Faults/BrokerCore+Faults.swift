/// Answers of test switches: the request does nothing and its answer carries the error.
extension BrokerCore {
  /// - Returns: false for an API whose answer has no place for an error of the whole.
  func refuse(_ request: Request, _ exchange: Exchange, with code: ErrorCode) -> Bool {
    switch request {
    case .produce(let request):
      exchange.reply(
        ProduceResponse(
          topics: request.topics.map { topic in
            .init(name: topic.name, partitions: topic.partitions.map { .init(index: $0.index, errorCode: code) })
          }))
    case .fetch(let request):
      exchange.reply(
        FetchResponse(
          topics: request.topics.map { topic in
            .init(name: topic.name, partitions: topic.partitions.map { .init(index: $0.index, errorCode: code) })
          }))
    case .offsetCommit(let request):
      exchange.reply(OffsetCommitResponse(topics: request.topics.map { $0.failing(\.index, code) }))
    case .txnOffsetCommit(let request):
      exchange.reply(TxnOffsetCommitResponse(topics: request.topics.map { $0.failing(\.index, code) }))
    case .addPartitionsToTxn(let request):
      exchange.reply(AddPartitionsToTxnResponse(topics: request.topics.map { $0.failing(\.self, code) }))
    case .findCoordinator(let request):
      exchange.reply(FindCoordinatorResponse(coordinators: request.keys.map { .init(key: $0, errorCode: code) }))
    case .joinGroup: exchange.reply(JoinGroupResponse(errorCode: code))
    case .syncGroup: exchange.reply(SyncGroupResponse(errorCode: code))
    case .heartbeat: exchange.reply(HeartbeatResponse(errorCode: code))
    case .initProducerID: exchange.reply(InitProducerIDResponse(errorCode: code))
    case .addOffsetsToTxn: exchange.reply(AddOffsetsToTxnResponse(errorCode: code))
    case .endTxn: exchange.reply(EndTxnResponse(errorCode: code))
    default: return false
    }
    return true
  }
}

extension TopicEntry {
  fileprivate func failing(_ index: (Partition) -> Int32, _ code: ErrorCode) -> TopicEntry<PartitionError> {
    TopicEntry<PartitionError>(
      name: name, partitions: partitions.map { PartitionError(index: index($0), errorCode: code) })
  }
}
