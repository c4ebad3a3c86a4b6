@testable import Broker
import NIOCore

/// One response per API with different values everywhere, and one that is as empty as its type allows.
enum ResponseSamples {
  static func full(_ key: APIKey) -> any WireWritable {
    log(key) ?? positions(key) ?? groups(key) ?? members(key) ?? transactions(key) ?? topics(key) ?? configs(key)
      ?? cluster(key)
  }

  private static func log(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .produce:
      ProduceResponse(
        topics: [
          .init(
            name: "flights",
            partitions: [
              .init(
                index: 3, errorCode: .invalidRecord, baseOffset: 1 << 40, logAppendTimeMilliseconds: 1_700_000_000_123,
                logStartOffset: 17, recordErrors: [.init(batchIndex: 4, message: "key"), .init(batchIndex: 5)],
                errorMessage: "zwölf"),
              .init(index: 4),
            ])
        ], throttleMilliseconds: 9)
    case .fetch:
      FetchResponse(
        throttleMilliseconds: 8, errorCode: .fetchSessionIdNotFound, sessionID: 77,
        topics: [
          .init(
            name: "flights",
            partitions: [
              .init(
                index: 1, errorCode: .offsetOutOfRange, highWatermark: 1 << 41, lastStableOffset: 1 << 33,
                logStartOffset: 5, divergingEpoch: .init(epoch: 6, endOffset: 99),
                abortedTransactions: [.init(producerID: 12, firstOffset: 34), .init(producerID: 56, firstOffset: 78)],
                preferredReadReplica: 2, records: [bytes(40), bytes(3)]),
              .init(index: 2, abortedTransactions: [], records: [bytes(130)]),
              .init(index: 3),
            ]),
          .init(name: "Zürich", partitions: []),
        ])
    default: nil
    }
  }

  private static func positions(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .listOffsets:
      ListOffsetsResponse(
        throttleMilliseconds: 1,
        topics: [
          .init(
            name: "a",
            partitions: [
              .init(
                index: 0, errorCode: .notLeaderOrFollower, timestampMilliseconds: 1_700_000_000_456, offset: 1 << 42,
                leaderEpoch: 7), .init(index: 1),
            ])
        ])
    case .offsetForLeaderEpoch:
      OffsetForLeaderEpochResponse(
        throttleMilliseconds: 2,
        topics: [
          .init(
            name: "a", partitions: [.init(errorCode: .fencedLeaderEpoch, index: 5, leaderEpoch: 3, endOffset: 1 << 36)])
        ])
    case .deleteRecords:
      DeleteRecordsResponse(
        throttleMilliseconds: 3,
        topics: [.init(name: "a", partitions: [.init(index: 6, lowWatermark: 1 << 35, errorCode: .offsetOutOfRange)])])
    case .describeProducers:
      DescribeProducersResponse(
        throttleMilliseconds: 4,
        topics: [
          .init(
            name: "a",
            partitions: [
              .init(
                index: 7, errorCode: .unknownServerError, errorMessage: "why",
                activeProducers: [
                  .init(
                    producerID: 4001, producerEpoch: 2, lastSequence: 3, lastTimestampMilliseconds: 1_700_000_000_789,
                    coordinatorEpoch: 5, currentTransactionStartOffset: 6)
                ])
            ])
        ])
    default: nil
    }
  }

  private static func groups(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .offsetCommit: OffsetCommitResponse(throttleMilliseconds: 5, topics: partitionErrors)
    case .offsetFetch:
      OffsetFetchResponse(
        throttleMilliseconds: 6,
        groups: [
          .init(
            groupID: "g",
            topics: [
              .init(
                name: "a",
                partitions: [
                  .init(
                    index: 1, committedOffset: 1 << 34, committedLeaderEpoch: 4, metadata: "m",
                    errorCode: .unstableOffsetCommit), .init(index: 2, metadata: nil),
                ])
            ], errorCode: .notCoordinator),
          .init(groupID: "h"),
        ])
    case .findCoordinator:
      FindCoordinatorResponse(
        throttleMilliseconds: 7,
        coordinators: [
          .init(key: "g", nodeID: 1, host: "localhost", port: 9092, errorCode: .invalidGroupId, errorMessage: "why"),
          .init(key: "h"),
        ])
    default: nil
    }
  }

  private static func members(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .joinGroup:
      JoinGroupResponse(
        throttleMilliseconds: 8, errorCode: .memberIdRequired, generation: 12, protocolType: "consumer",
        protocolName: "range", leader: "m-1", skipAssignment: true, memberID: "m-2",
        members: [
          .init(memberID: "m-1", groupInstanceID: "i-1", metadata: bytes(9)),
          .init(memberID: "m-2", metadata: bytes(0)),
        ])
    case .heartbeat: HeartbeatResponse(throttleMilliseconds: 9, errorCode: .rebalanceInProgress)
    case .leaveGroup:
      LeaveGroupResponse(
        throttleMilliseconds: 10, errorCode: .groupAuthorizationFailed,
        members: [
          .init(memberID: "m-1", groupInstanceID: "i-1", errorCode: .fencedInstanceId), .init(memberID: "m-2"),
        ])
    case .syncGroup:
      SyncGroupResponse(
        throttleMilliseconds: 11, errorCode: .illegalGeneration, protocolType: "consumer", protocolName: "range",
        assignment: bytes(21))
    case .describeGroups:
      DescribeGroupsResponse(
        throttleMilliseconds: 12,
        groups: [
          .init(
            errorCode: .coordinatorLoadInProgress, groupID: "g", state: "Stable", protocolType: "consumer",
            protocolData: "range",
            members: [
              .init(
                memberID: "m-1", groupInstanceID: "i-1", clientID: "c", clientHost: "/127.0.0.1", metadata: bytes(4),
                assignment: bytes(5))
            ], authorizedOperations: 3400), .init(groupID: "h"),
        ])
    case .listGroups:
      ListGroupsResponse(
        throttleMilliseconds: 13, errorCode: .coordinatorNotAvailable,
        groups: [.init(groupID: "g", protocolType: "consumer", state: "Empty"), .init(groupID: "h", protocolType: "")])
    case .deleteGroups:
      DeleteGroupsResponse(
        throttleMilliseconds: 14, groups: [.init(groupID: "g", errorCode: .nonEmptyGroup), .init(groupID: "h")])
    case .offsetDelete:
      OffsetDeleteResponse(errorCode: .groupIdNotFound, throttleMilliseconds: 15, topics: partitionErrors)
    default: nil
    }
  }

  private static func transactions(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .initProducerID:
      InitProducerIDResponse(
        throttleMilliseconds: 16, errorCode: .concurrentTransactions, producerID: 1 << 33, producerEpoch: 300)
    case .addPartitionsToTxn: AddPartitionsToTxnResponse(throttleMilliseconds: 17, topics: partitionErrors)
    case .addOffsetsToTxn: AddOffsetsToTxnResponse(throttleMilliseconds: 18, errorCode: .producerFenced)
    case .endTxn: EndTxnResponse(throttleMilliseconds: 19, errorCode: .invalidTxnState)
    case .txnOffsetCommit: TxnOffsetCommitResponse(throttleMilliseconds: 20, topics: partitionErrors)
    case .describeTransactions:
      DescribeTransactionsResponse(
        throttleMilliseconds: 21,
        transactions: [
          .init(
            errorCode: .transactionalIdNotFound, transactionalID: "t", state: "Ongoing", timeoutMilliseconds: 60_000,
            startTimeMilliseconds: 1_700_000_000_321, producerID: 9, producerEpoch: 8,
            topics: [.init(name: "a", partitions: [0, 1])]), .init(transactionalID: "u"),
        ])
    case .listTransactions:
      ListTransactionsResponse(
        throttleMilliseconds: 22, errorCode: .coordinatorLoadInProgress, unknownStateFilters: ["x", "y"],
        transactions: [.init(transactionalID: "t", producerID: 9, state: "Ongoing")])
    default: nil
    }
  }

  private static func topics(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .createTopics:
      CreateTopicsResponse(
        throttleMilliseconds: 23,
        topics: [
          .init(
            name: "a", id: topicID, errorCode: .topicAlreadyExists, errorMessage: "why", partitionCount: 4,
            replicationFactor: 1,
            configs: [
              .init(name: "retention.ms", value: "-1", isReadOnly: true, source: .topic, isSensitive: true),
              .init(name: "cleanup.policy"),
            ]), .init(name: "b"),
        ])
    case .deleteTopics:
      DeleteTopicsResponse(
        throttleMilliseconds: 24,
        topics: [
          .init(name: "a", id: topicID, errorCode: .unknownTopicOrPartition, errorMessage: "why"), .init(),
        ])
    case .createPartitions:
      CreatePartitionsResponse(
        throttleMilliseconds: 25,
        topics: [.init(name: "a", errorCode: .invalidPartitions, errorMessage: "why"), .init(name: "b")])
    case .metadata:
      MetadataResponse(
        throttleMilliseconds: 26, brokers: brokers, clusterID: "c-1", controllerID: 1,
        topics: [
          .init(
            errorCode: .leaderNotAvailable, name: "a", id: topicID, isInternal: true,
            partitions: [
              .init(
                errorCode: .leaderNotAvailable, index: 2, leaderID: 1, leaderEpoch: 5, replicaNodes: [1, 2],
                isrNodes: [1], offlineReplicas: [2])
            ], authorizedOperations: 7), .init(errorCode: .unknownTopicId, id: topicID),
        ], clusterAuthorizedOperations: 8)
    default: nil
    }
  }

  private static func configs(_ key: APIKey) -> (any WireWritable)? {
    switch key {
    case .describeConfigs:
      DescribeConfigsResponse(
        throttleMilliseconds: 27,
        resources: [
          .init(
            errorCode: .invalidConfig, errorMessage: "why", kind: .topic, name: "a",
            configs: [
              .init(
                name: "retention.ms", value: "-1", isReadOnly: true, source: .topic, isSensitive: true,
                synonyms: [.init(name: "log.retention.ms", value: "5", source: .defaultValue)], kind: .int64,
                documentation: "how long"), .init(name: "cleanup.policy"),
            ]), .init(kind: .broker, name: "1"),
        ])
    case .alterConfigs, .incrementalAlterConfigs:
      AlterConfigsResponse(
        throttleMilliseconds: 28,
        resources: [
          .init(errorCode: .invalidConfig, errorMessage: "why", kind: .topic, name: "a"),
          .init(kind: .broker, name: "1"),
        ])
    default: nil
    }
  }

  private static func cluster(_ key: APIKey) -> any WireWritable {
    switch key {
    case .saslHandshake:
      SaslHandshakeResponse(errorCode: .unsupportedSaslMechanism, mechanisms: ["PLAIN", "SCRAM-SHA-256"])
    case .saslAuthenticate:
      SaslAuthenticateResponse(
        errorCode: .saslAuthenticationFailed, errorMessage: "why", authBytes: bytes(33),
        sessionLifetimeMilliseconds: 3_600_000)
    case .describeCluster:
      DescribeClusterResponse(
        throttleMilliseconds: 29, errorCode: .clusterAuthorizationFailed, errorMessage: "why", endpointType: 2,
        clusterID: "c-1", controllerID: 1, brokers: brokers, clusterAuthorizedOperations: 9)
    default: ApiVersionsResponse(throttleMilliseconds: 30)
    }
  }

  private static let topicID = TopicID(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)
  private static let partitionErrors: [TopicEntry<PartitionError>] = [
    .init(name: "a", partitions: [.init(index: 1, errorCode: .unknownTopicOrPartition), .init(index: 2)]),
    .init(name: "b", partitions: []),
  ]
  private static let brokers: [MetadataResponse.Broker] = [
    .init(nodeID: 1, host: "localhost", port: 9092, rack: "r-1"), .init(nodeID: 2, host: "::1", port: 65535),
  ]

  private static func bytes(_ count: Int) -> ByteBuffer {
    ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) })
  }
}

extension ResponseSamples {
  static func empty(_ key: APIKey) -> any WireWritable {
    switch key {
    case .produce: ProduceResponse(topics: [])
    case .fetch: FetchResponse()
    case .listOffsets: ListOffsetsResponse(topics: [])
    case .metadata: MetadataResponse(brokers: [], topics: [])
    case .offsetCommit: OffsetCommitResponse(topics: [])
    case .offsetFetch: OffsetFetchResponse(groups: [.init(groupID: "")])
    case .findCoordinator: FindCoordinatorResponse(coordinators: [.init(key: "")])
    case .joinGroup: JoinGroupResponse()
    case .heartbeat: HeartbeatResponse()
    case .leaveGroup: LeaveGroupResponse(members: [.init(memberID: "")])
    case .syncGroup: SyncGroupResponse()
    case .describeGroups: DescribeGroupsResponse(groups: [])
    case .listGroups: ListGroupsResponse()
    case .saslHandshake: SaslHandshakeResponse(mechanisms: [])
    case .apiVersions: ApiVersionsResponse(ranges: [])
    case .createTopics: CreateTopicsResponse(topics: [])
    case .deleteTopics: DeleteTopicsResponse(topics: [])
    case .deleteRecords: DeleteRecordsResponse(topics: [])
    case .initProducerID: InitProducerIDResponse()
    case .offsetForLeaderEpoch: OffsetForLeaderEpochResponse(topics: [])
    case .addPartitionsToTxn: AddPartitionsToTxnResponse(topics: [])
    case .addOffsetsToTxn: AddOffsetsToTxnResponse()
    case .endTxn: EndTxnResponse()
    case .txnOffsetCommit: TxnOffsetCommitResponse(topics: [])
    case .describeConfigs: DescribeConfigsResponse(resources: [])
    case .alterConfigs, .incrementalAlterConfigs: AlterConfigsResponse(resources: [])
    case .saslAuthenticate: SaslAuthenticateResponse()
    case .createPartitions: CreatePartitionsResponse(topics: [])
    case .deleteGroups: DeleteGroupsResponse(groups: [])
    case .offsetDelete: OffsetDeleteResponse()
    case .describeCluster: DescribeClusterResponse()
    case .describeProducers: DescribeProducersResponse(topics: [])
    case .describeTransactions: DescribeTransactionsResponse(transactions: [])
    case .listTransactions: ListTransactionsResponse()
    }
  }
}
