extension Request {
  /// The answer that says `code` wherever an answer of this API can say it.
  package func failure(_ code: ErrorCode) -> any WireWritable {
    message.failure(code)
  }
}

extension TopicEntry {
  /// The same partitions, each with what `answer` says.
  fileprivate func map<Answer: Sendable>(_ answer: (Partition) -> Answer) -> TopicEntry<Answer> {
    TopicEntry<Answer>(name: name, partitions: partitions.map(answer))
  }
}

// MARK: Logs

extension ProduceRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> ProduceResponse {
    ProduceResponse(topics: topics.map { $0.map { .init(index: $0.index, errorCode: code) } })
  }
}

extension FetchRequest: WireRequest {
  /// The error of the whole stays empty: versions before 7 have none, and clients look at the partitions in any case.
  package func failure(_ code: ErrorCode) -> FetchResponse {
    FetchResponse(topics: topics.map { $0.map { .init(index: $0.index, errorCode: code) } })
  }
}

extension ListOffsetsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> ListOffsetsResponse {
    ListOffsetsResponse(topics: topics.map { $0.map { .init(index: $0.index, errorCode: code) } })
  }
}

extension OffsetForLeaderEpochRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> OffsetForLeaderEpochResponse {
    OffsetForLeaderEpochResponse(topics: topics.map { $0.map { .init(errorCode: code, index: $0.index) } })
  }
}

extension DeleteRecordsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DeleteRecordsResponse {
    DeleteRecordsResponse(topics: topics.map { $0.map { .init(index: $0.index, errorCode: code) } })
  }
}

extension DescribeProducersRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DescribeProducersResponse {
    DescribeProducersResponse(topics: topics.map { $0.map { .init(index: $0, errorCode: code) } })
  }
}

// MARK: Groups

extension OffsetCommitRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> OffsetCommitResponse {
    OffsetCommitResponse(topics: topics.map { $0.map { .init(index: $0.index, errorCode: code) } })
  }
}

extension OffsetFetchRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> OffsetFetchResponse {
    OffsetFetchResponse(
      groups: groups.map { group in
        let topics = group.topics ?? []
        return .init(
          groupID: group.groupID, topics: topics.map { $0.map { .init(index: $0, errorCode: code) } }, errorCode: code)
      })
  }
}

extension FindCoordinatorRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> FindCoordinatorResponse {
    FindCoordinatorResponse(coordinators: keys.map { .init(key: $0, errorCode: code) })
  }
}

extension JoinGroupRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse(errorCode: code, memberID: memberID)
  }
}

extension HeartbeatRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> HeartbeatResponse { HeartbeatResponse(errorCode: code) }
}

extension LeaveGroupRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> LeaveGroupResponse { LeaveGroupResponse(errorCode: code) }
}

extension SyncGroupRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> SyncGroupResponse { SyncGroupResponse(errorCode: code) }
}

extension DescribeGroupsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DescribeGroupsResponse {
    DescribeGroupsResponse(groups: groupIDs.map { .init(errorCode: code, groupID: $0) })
  }
}

extension ListGroupsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> ListGroupsResponse { ListGroupsResponse(errorCode: code) }
}

extension DeleteGroupsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DeleteGroupsResponse {
    DeleteGroupsResponse(groups: groupIDs.map { .init(groupID: $0, errorCode: code) })
  }
}

extension OffsetDeleteRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> OffsetDeleteResponse { OffsetDeleteResponse(errorCode: code) }
}

// MARK: Transactions

extension InitProducerIDRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> InitProducerIDResponse { InitProducerIDResponse(errorCode: code) }
}

extension AddPartitionsToTxnRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> AddPartitionsToTxnResponse {
    AddPartitionsToTxnResponse(topics: topics.map { $0.map { .init(index: $0, errorCode: code) } })
  }
}

extension AddOffsetsToTxnRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> AddOffsetsToTxnResponse { AddOffsetsToTxnResponse(errorCode: code) }
}

extension EndTxnRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> EndTxnResponse { EndTxnResponse(errorCode: code) }
}

extension TxnOffsetCommitRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> TxnOffsetCommitResponse {
    TxnOffsetCommitResponse(topics: topics.map { $0.map { .init(index: $0.index, errorCode: code) } })
  }
}

extension DescribeTransactionsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DescribeTransactionsResponse {
    DescribeTransactionsResponse(transactions: transactionalIDs.map { .init(errorCode: code, transactionalID: $0) })
  }
}

extension ListTransactionsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> ListTransactionsResponse { ListTransactionsResponse(errorCode: code) }
}

// MARK: Topics, configurations, cluster

extension MetadataRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> MetadataResponse {
    let topics = topics ?? []
    return MetadataResponse(brokers: [], topics: topics.map { .init(errorCode: code, name: $0.name, id: $0.id) })
  }
}

extension CreateTopicsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> CreateTopicsResponse {
    CreateTopicsResponse(topics: topics.map { .init(name: $0.name, errorCode: code) })
  }
}

extension DeleteTopicsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DeleteTopicsResponse {
    DeleteTopicsResponse(topics: topics.map { .init(name: $0.name, id: $0.id, errorCode: code) })
  }
}

extension CreatePartitionsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> CreatePartitionsResponse {
    CreatePartitionsResponse(topics: topics.map { .init(name: $0.name, errorCode: code) })
  }
}

extension DescribeConfigsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DescribeConfigsResponse {
    DescribeConfigsResponse(resources: resources.map { .init(errorCode: code, kind: $0.kind, name: $0.name) })
  }
}

extension AlterConfigsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> AlterConfigsResponse {
    AlterConfigsResponse(resources: resources.map { .init(errorCode: code, kind: $0.kind, name: $0.name) })
  }
}

extension IncrementalAlterConfigsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> AlterConfigsResponse {
    AlterConfigsResponse(resources: resources.map { .init(errorCode: code, kind: $0.kind, name: $0.name) })
  }
}

extension ApiVersionsRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> ApiVersionsResponse { ApiVersionsResponse(errorCode: code) }
}

extension SaslHandshakeRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> SaslHandshakeResponse {
    SaslHandshakeResponse(errorCode: code, mechanisms: [])
  }
}

extension SaslAuthenticateRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> SaslAuthenticateResponse { SaslAuthenticateResponse(errorCode: code) }
}

extension DescribeClusterRequest: WireRequest {
  package func failure(_ code: ErrorCode) -> DescribeClusterResponse { DescribeClusterResponse(errorCode: code) }
}
