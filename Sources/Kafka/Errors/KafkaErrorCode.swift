internal import CRDKafka

/// An error code of the Kafka protocol (0 and above) or of librdkafka itself (below 0).
///
/// A struct, not an enum: a broker may be newer than this client, and its codes must survive the trip.
package struct KafkaErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  init(_ code: rd_kafka_resp_err_t) { rawValue = code.rawValue }

  var librdkafka: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }

  /// librdkafka's name: `UNKNOWN_TOPIC_OR_PART`; its own codes begin with an underscore (`_TIMED_OUT`).
  package var name: String { unsafe rd_kafka_err2name(librdkafka).map { unsafe String(cString: $0) } ?? "\(rawValue)" }

  /// One sentence for a person, as the library words it.
  package var explanation: String {
    unsafe rd_kafka_err2str(librdkafka).map { unsafe String(cString: $0) } ?? "error \(rawValue)"
  }

  package var description: String { name }
}

extension KafkaErrorCode {
  package static let none = Self(RD_KAFKA_RESP_ERR_NO_ERROR)

  // Of the library itself.
  package static let timedOut = Self(RD_KAFKA_RESP_ERR__TIMED_OUT)
  package static let timedOutInQueue = Self(RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE)
  package static let messageTimedOut = Self(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
  package static let transport = Self(RD_KAFKA_RESP_ERR__TRANSPORT)
  package static let resolve = Self(RD_KAFKA_RESP_ERR__RESOLVE)
  package static let allBrokersDown = Self(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
  package static let waitCoordinator = Self(RD_KAFKA_RESP_ERR__WAIT_COORD)
  package static let waitCache = Self(RD_KAFKA_RESP_ERR__WAIT_CACHE)
  package static let queueFull = Self(RD_KAFKA_RESP_ERR__QUEUE_FULL)
  package static let state = Self(RD_KAFKA_RESP_ERR__STATE)
  package static let previousInProgress = Self(RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS)
  package static let inProgress = Self(RD_KAFKA_RESP_ERR__IN_PROGRESS)
  package static let fatal = Self(RD_KAFKA_RESP_ERR__FATAL)
  package static let fenced = Self(RD_KAFKA_RESP_ERR__FENCED)
  /// A batch that the client cannot expand, or will not: `receive.message.max.bytes` bounds what it becomes.
  package static let badCompression = Self(RD_KAFKA_RESP_ERR__BAD_COMPRESSION)
  package static let partitionEnd = Self(RD_KAFKA_RESP_ERR__PARTITION_EOF)
  package static let automaticOffsetReset = Self(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
  package static let maximumPollExceeded = Self(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
  package static let noOffset = Self(RD_KAFKA_RESP_ERR__NO_OFFSET)
  package static let unknownTopic = Self(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
  package static let unknownPartition = Self(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
  package static let authentication = Self(RD_KAFKA_RESP_ERR__AUTHENTICATION)
  package static let tls = Self(RD_KAFKA_RESP_ERR__SSL)
  package static let invalidArgument = Self(RD_KAFKA_RESP_ERR__INVALID_ARG)
  package static let notConfigured = Self(RD_KAFKA_RESP_ERR__NOT_CONFIGURED)
  package static let conflict = Self(RD_KAFKA_RESP_ERR__CONFLICT)
  package static let outdated = Self(RD_KAFKA_RESP_ERR__OUTDATED)
  package static let assignmentLost = Self(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST)
  package static let destroyed = Self(RD_KAFKA_RESP_ERR__DESTROY)
  package static let purgedInQueue = Self(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
  package static let purgedInFlight = Self(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
  package static let assignPartitions = Self(RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)

  // Of the protocol.
  package static let offsetOutOfRange = Self(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
  package static let unknownTopicOrPartition = Self(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
  package static let messageTooLarge = Self(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
  package static let illegalGeneration = Self(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
  package static let unknownMember = Self(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
  package static let rebalanceInProgress = Self(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS)
  package static let fencedInstance = Self(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
  package static let topicExists = Self(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
  package static let nonEmptyGroup = Self(RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP)
  package static let unknownGroup = Self(RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
  package static let invalidProducerEpoch = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
  package static let producerFenced = Self(RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
  package static let invalidTransactionState = Self(RD_KAFKA_RESP_ERR_INVALID_TXN_STATE)
  package static let invalidProducerIDMapping = Self(RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
  package static let concurrentTransactions = Self(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS)
  package static let unstableOffsetCommit = Self(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
  package static let notLeader = Self(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION)
  package static let leaderNotAvailable = Self(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
  package static let coordinatorNotAvailable = Self(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE)
  package static let coordinatorLoading = Self(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
  package static let notCoordinator = Self(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
  package static let storage = Self(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR)
  package static let requestTimedOut = Self(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
  package static let networkException = Self(RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION)
  package static let groupAuthorizationFailed = Self(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
  package static let topicAuthorizationFailed = Self(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
  package static let saslAuthenticationFailed = Self(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
}

extension KafkaErrorCode {
  private static let retriable: Set<KafkaErrorCode> = [
    .timedOut, .timedOutInQueue, .transport, .resolve, .allBrokersDown, .waitCoordinator, .waitCache,
    .queueFull, .previousInProgress, .inProgress, .outdated, .rebalanceInProgress, .concurrentTransactions,
    .unstableOffsetCommit, .notLeader, .leaderNotAvailable, .coordinatorNotAvailable, .coordinatorLoading,
    .notCoordinator, .storage, .requestTimedOut, .networkException,
    Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), Self(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND),
    Self(RD_KAFKA_RESP_ERR_NOT_CONTROLLER), Self(RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH),
    Self(RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH), Self(RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE),
    Self(RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE),
  ]

  /// The same call may succeed later, without any change to it.
  package var isRetriable: Bool { Self.retriable.contains(self) }

  /// Another instance with the same identity took over. A new instance takes the place back: only for its rightful
  /// owner.
  package var isFencing: Bool {
    self == .fenced || self == .producerFenced || self == .invalidProducerEpoch || self == .fencedInstance
  }

  /// Whether the caller, and not a peer, has to mend it.
  var isMistakeOfCaller: Bool {
    switch self {
    case .invalidArgument, .unknownTopic, .unknownPartition, .unknownTopicOrPartition, .messageTooLarge, .topicExists,
      .nonEmptyGroup, .unknownGroup, .notConfigured, .conflict, .authentication, .saslAuthenticationFailed, .tls,
      .state:
      true
    default: false
    }
  }
}
