internal import Core

// How the configuration structs become properties of librdkafka.

extension ClientConfiguration {
  func apply(to settings: borrowing RDSettings) throws(HeadraceError) {
    guard !bootstrapServers.isEmpty else {
      throw HeadraceError(
        .user, "NO_BOOTSTRAP_SERVERS", "no broker is named", remedy: "give host:port of at least one broker")
    }
    try settings.set("bootstrap.servers", bootstrapServers)
    try settings.set("client.id", clientID)
    try settings.set("socket.timeout.ms", requestTimeoutMilliseconds)
    try settings.set("reconnect.backoff.ms", 50)
    try settings.set("reconnect.backoff.max.ms", reconnectBackoffMaximumMilliseconds)
    try settings.set("socket.nagle.disable", true)
    // From 2.10 on librdkafka takes up its bootstrap list again once it has lost every broker, and forgets the handle
    // of a coordinator that a request still waits for: with one broker, sending offsets in a transaction then never
    // returns (librdkafka issues 5456 and 5511).
    try settings.setWhereKnown("metadata.recovery.strategy", "none")
    try settings.set("log_level", logLevel.rawValue)
    // The log closure names its client itself.
    try settings.set("log.thread.name", false)
    try security.apply(to: settings)
  }

  /// Last of all, so that a user's word counts.
  func applyProperties(to settings: borrowing RDSettings) throws(HeadraceError) {
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      // Any property may be a secret: the library's sentence about it is not repeated.
      try settings.set(name, Secret(value))
    }
  }
}

extension SecurityConfiguration {
  func apply(to settings: borrowing RDSettings) throws(HeadraceError) {
    let isEncrypted: Bool
    switch transport {
    case .plaintext: isEncrypted = false
    case .tls(let tls):
      isEncrypted = true
      try tls.apply(to: settings)
    }
    let isAuthenticated = if case .none = authentication { false } else { true }
    let name =
      switch (isAuthenticated, isEncrypted) {
      case (false, false): "plaintext"
      case (false, true): "ssl"
      case (true, false): "sasl_plaintext"
      case (true, true): "sasl_ssl"
      }
    try settings.set("security.protocol", name)
    try authentication.apply(to: settings)
  }
}

extension SecurityConfiguration.TLS {
  fileprivate func apply(to settings: borrowing RDSettings) throws(HeadraceError) {
    try settings.set("enable.ssl.certificate.verification", true)
    try settings.set("ssl.endpoint.identification.algorithm", verifiesHostName ? "https" : "none")
    try authority?.apply(to: settings, file: "ssl.ca.location", pem: "ssl.ca.pem")
    guard let identity else { return }
    try identity.certificateChain.apply(
      to: settings, file: "ssl.certificate.location", pem: "ssl.certificate.pem")
    try identity.privateKey.apply(to: settings, file: "ssl.key.location", pem: "ssl.key.pem")
    if let password = identity.privateKeyPassword { try settings.set("ssl.key.password", password) }
  }
}

extension SecurityConfiguration.Material {
  fileprivate func apply(
    to settings: borrowing RDSettings, file: String, pem: String
  ) throws(HeadraceError) {
    switch self {
    case .file(let path): try settings.set(file, path)
    case .pem(let text): try settings.set(pem, text)
    }
  }
}

extension SecurityConfiguration.Authentication {
  fileprivate func apply(to settings: borrowing RDSettings) throws(HeadraceError) {
    switch self {
    case .none: return
    case .plain(let username, let password):
      try Self.apply(to: settings, mechanism: "PLAIN", username, password)
    case .scramSHA256(let username, let password):
      try Self.apply(to: settings, mechanism: "SCRAM-SHA-256", username, password)
    case .scramSHA512(let username, let password):
      try Self.apply(to: settings, mechanism: "SCRAM-SHA-512", username, password)
    case .oauthBearer(let source):
      try settings.set("sasl.mechanisms", "OAUTHBEARER")
      try source.apply(to: settings)
    }
  }

  private static func apply(
    to settings: borrowing RDSettings, mechanism: String, _ username: String, _ password: Secret
  ) throws(HeadraceError) {
    try settings.set("sasl.mechanisms", mechanism)
    try settings.set("sasl.username", username)
    try settings.set("sasl.password", password)
  }
}

extension SecurityConfiguration.TokenSource {
  fileprivate func apply(to settings: borrowing RDSettings) throws(HeadraceError) {
    guard case .openIDConnect(let endpoint, let clientID, let clientSecret, let scope) = self else { return }
    guard endpoint.hasPrefix("https://") else {
      throw HeadraceError(
        .user, "TOKEN_ENDPOINT", "a token endpoint must begin with https://", place: endpoint)
    }
    try settings.set("sasl.oauthbearer.method", "oidc")
    try settings.set("sasl.oauthbearer.token.endpoint.url", endpoint)
    try settings.set("sasl.oauthbearer.client.id", clientID)
    try settings.set("sasl.oauthbearer.client.secret", clientSecret)
    if let scope { try settings.set("sasl.oauthbearer.scope", scope) }
  }
}

extension ConsumerConfiguration {
  func settings() throws(HeadraceError) -> RDSettings {
    let settings = RDSettings()
    try client.apply(to: settings)
    // The library asks for a group even where none is joined; it commits nothing under this name.
    try settings.set("group.id", groupID ?? "headrace-reader")
    if let groupInstanceID { try settings.set("group.instance.id", groupInstanceID) }
    try settings.set("partition.assignment.strategy", assignment.rawValue)
    try settings.set("isolation.level", readsUncommitted ? "read_uncommitted" : "read_committed")
    try settings.set("session.timeout.ms", sessionTimeoutMilliseconds)
    try settings.set("heartbeat.interval.ms", heartbeatIntervalMilliseconds)
    try settings.set("max.poll.interval.ms", pollIntervalMaximumMilliseconds)
    // Offsets are committed by the caller, and only by the caller; start offsets are resolved by `Consumer`.
    try settings.set("enable.auto.commit", false)
    try settings.set("enable.auto.offset.store", false)
    try settings.set("auto.offset.reset", "error")
    try settings.set("enable.partition.eof", reportsPartitionEnds)
    try settings.set("queued.min.messages", prefetchRecordsMinimum)
    try settings.set("queued.max.messages.kbytes", prefetchKibibytesMaximum)
    try settings.set("fetch.wait.max.ms", fetchWaitMaximumMilliseconds)
    try settings.set("fetch.min.bytes", fetchBytesMinimum)
    try settings.set("fetch.message.max.bytes", fetchPartitionBytesMaximum)
    try settings.set("fetch.error.backoff.ms", 100)
    // Since librdkafka 2.2; see `PrefetchAlarm` for what was before.
    try settings.setWhereKnown("fetch.queue.backoff.ms", "5")
    try settings.set("check.crcs", checksRecordBatches)
    try settings.set("allow.auto.create.topics", false)
    try settings.set("topic.metadata.refresh.interval.ms", 30_000)
    try client.applyProperties(to: settings)
    return settings
  }
}

extension ProducerConfiguration {
  func settings() throws(HeadraceError) -> RDSettings {
    let settings = RDSettings()
    try client.apply(to: settings)
    try settings.set("enable.idempotence", isIdempotent)
    if !isIdempotent {
      let acks =
        switch acknowledgements {
        case .none: "0"
        case .leader: "1"
        case .all: "all"
        }
      try settings.set("acks", acks)
    }
    try settings.set("compression.codec", compression.rawValue)
    if let compressionLevel { try settings.set("compression.level", compressionLevel) }
    try settings.set("linger.ms", lingerMilliseconds)
    try settings.set("batch.size", batchBytesMaximum)
    try settings.set("batch.num.messages", batchRecordsMaximum)
    try settings.set("message.max.bytes", recordBytesMaximum)
    try settings.set("delivery.timeout.ms", deliveryTimeoutMilliseconds)
    try settings.set("queue.buffering.max.messages", queueRecordsMaximum)
    try settings.set("queue.buffering.max.kbytes", queueKibibytesMaximum)
    try settings.set("partitioner", partitioner == .murmur2 ? "murmur2_random" : "consistent_random")
    return settings
  }

  func settings(_ transaction: TransactionConfiguration) throws(HeadraceError) -> RDSettings {
    guard isIdempotent else {
      throw HeadraceError(
        .user, "TRANSACTION_NOT_IDEMPOTENT", "a transactional producer is idempotent", remedy: "leave isIdempotent on")
    }
    let settings = try self.settings()
    try settings.set("transactional.id", transaction.transactionalID)
    try settings.set("transaction.timeout.ms", transaction.timeoutMilliseconds)
    // No record and no request may outlive its transaction.
    try settings.set(
      "socket.timeout.ms", min(client.requestTimeoutMilliseconds, transaction.timeoutMilliseconds))
    try settings.set("delivery.timeout.ms", min(deliveryTimeoutMilliseconds, transaction.timeoutMilliseconds))
    return settings
  }
}
