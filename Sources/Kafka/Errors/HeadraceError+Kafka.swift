package import Core

extension HeadraceError {
  /// The error of a call to Kafka, with the retry class that its code alone gives.
  package init(_ code: KafkaErrorCode, _ message: String, place: String? = nil, retry: Retry? = nil) {
    let fatal = code == .fatal || code.isFencing || code == .destroyed
    let fromCode: Retry = fatal ? .newInstance : code.isRetriable ? .sameCall : .never
    self.init(
      code.isMistakeOfCaller ? .user : .external, code.name, message, retry: retry ?? fromCode, place: place,
      remedy: code.remedy)
  }

  /// The error with the library's own sentence as its message.
  package init(_ code: KafkaErrorCode, while activity: String, place: String? = nil, retry: Retry? = nil) {
    self.init(code, "\(activity): \(code.explanation)", place: place, retry: retry)
  }

  /// Whether the error carries this Kafka code.
  package func isKafka(_ code: KafkaErrorCode) -> Bool { self.code == code.name }
}

extension KafkaErrorCode {
  /// What a person should do, where the code alone tells.
  var remedy: String? {
    switch self {
    case .transport, .allBrokersDown, .resolve: "check the bootstrap servers and whether the broker runs"
    case .timedOut, .requestTimedOut: "check that the broker is up and reachable, then call again"
    case .authentication, .saslAuthenticationFailed: "check the user name, the secret and the SASL mechanism"
    case .tls: "check the certificate authority, the client certificate and the broker's host name"
    case .unknownTopic, .unknownTopicOrPartition: "create the topic first, or check its name and partition"
    case .topicExists: "choose another name, or use the topic that exists"
    case .messageTooLarge: "send smaller records, or raise message.max.bytes in the client and on the topic"
    case .nonEmptyGroup: "stop the group's members first"
    case .queueFull: "wait for delivery reports, then send again"
    case .maximumPollExceeded: "poll more often, hand over smaller batches, or raise the poll interval"
    case .storage: "look at the broker's disk: it may be full"
    case .fencedInstance: "another consumer runs with the same group instance id: stop one of them"
    case .fenced, .producerFenced, .invalidProducerEpoch:
      "another producer took over this transactional id: start a new one only where this worker is its rightful owner"
    case .fatal: "close this client and make a new one"
    default: nil
    }
  }
}

extension HeadraceError {
  /// Another instance with the same identity took over.
  package var isFencing: Bool {
    [KafkaErrorCode.fenced, .producerFenced, .invalidProducerEpoch, .fencedInstance].contains { isKafka($0) }
  }
}
