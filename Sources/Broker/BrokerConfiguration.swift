package import Core

/// Everything that can be set about a broker. Defaults live here and nowhere else.
package struct BrokerConfiguration: Sendable {
  /// The folder that holds the journal and the logs; made when missing.
  package var dataDirectory: String
  package var host = "127.0.0.1"
  /// 0 takes a free port; `Broker.port` tells which.
  package var port = 9_092
  /// What clients are told to connect to, when it is not what the socket is bound to.
  package var advertisedHost: String?
  package var advertisedPort: Int?
  package var transport = TransportSecurity.plaintext
  /// Who may log in; nil: nobody has to.
  package var authentication: Authentication?
  package var limits = Limits()
  package var topics = TopicDefaults()
  package var groups = GroupLimits()
  package var transactions = TransactionLimits()
  package var maintenance = Maintenance()
  /// Test switches; empty in every other use.
  package var faults: [FaultRule] = []

  package init(dataDirectory: String) { self.dataDirectory = dataDirectory }

  package enum TransportSecurity: Sendable {
    case plaintext
    /// PEM files. With `clientAuthorityFile` only clients with a certificate of that authority get in (mTLS).
    case tls(certificateFile: String, keyFile: String, clientAuthorityFile: String?)
  }

  package struct Authentication: Sendable {
    package var mechanisms: [SASLMechanism]
    package var credentials: Credentials

    package init(mechanisms: [SASLMechanism], credentials: Credentials) {
      self.mechanisms = mechanisms
      self.credentials = credentials
    }
  }

  /// What one peer, or all of them, may take of this process.
  package struct Limits: Sendable {
    package var frameBytes = 104_857_600
    /// A peer that has not logged in yet has no reason to send more.
    package var frameBytesBeforeAuthentication = 524_288
    /// Bytes of frames that have begun and not ended, over all connections.
    package var partialFrameBytes = 268_435_456
    package var connections = 1_024
    package var connectionsPerAddress = 1_024
    package var requestsInFlightPerConnection = 64
    package var idleMilliseconds: Int64 = 600_000
    /// How long a frame that has begun, a TLS handshake or a login may take.
    package var handshakeMilliseconds: Int64 = 10_000
    package var partialFrameMilliseconds: Int64 = 30_000
    /// Bytes of records in one Fetch response, whatever the client allows.
    package var fetchResponseBytes = 16_777_216
    /// What the records of one compressed batch may expand to. Clients bound a batch before they compress it, by 1 MiB.
    package var decompressedBatchBytes = 33_554_432
  }

  package struct TopicDefaults: Sendable {
    package var isAutoCreated = true
    package var partitionCount: Int32 = 1
    package var maximumPartitionCount: Int32 = 10_000
    /// Topic settings by Kafka's topic-level names, for topics that do not set their own.
    package var overrides: [String: String] = [:]
  }

  package struct GroupLimits: Sendable {
    package var initialRebalanceDelayMilliseconds: Int64 = 0
    package var minimumSessionTimeoutMilliseconds: Int64 = 1_000
    package var maximumSessionTimeoutMilliseconds: Int64 = 1_800_000
    package var maximumSize = 10_000
    /// nil: committed offsets are kept until somebody deletes them.
    package var offsetsRetentionMilliseconds: Int64?
  }

  package struct TransactionLimits: Sendable {
    package var maximumTimeoutMilliseconds: Int64 = 900_000
    package var identifierExpirationMilliseconds: Int64 = 604_800_000
    package var producerExpirationMilliseconds: Int64 = 86_400_000
  }

  package struct Maintenance: Sendable {
    package var flushIntervalMilliseconds: Int64 = 5_000
    package var retentionCheckIntervalMilliseconds: Int64 = 300_000
    package var compactionIntervalMilliseconds: Int64 = 15_000
    /// The journal is rewritten as a snapshot when it is larger than this and than four times its last snapshot.
    package var journalSnapshotBytes: Int64 = 4_194_304
  }

  /// - Throws: when the broker would be open to the network without asking anybody who they are.
  package func validate() throws(HeadraceError) {
    let isLoopback = host.hasPrefix("127.") || host == "localhost" || host == "::1"
    var isOpen = authentication == nil
    if case .tls = transport { isOpen = false }
    if !isLoopback && isOpen {
      throw HeadraceError(
        .user, "OPEN_LISTENER",
        "refusing to listen on \(host): anybody who reaches it could read and write every topic",
        remedy: "configure TLS (--tls-certificate, --tls-key) or SASL (--sasl-users), or listen on 127.0.0.1")
    }
    guard (0...65_535).contains(port) else {
      throw HeadraceError(.user, "BAD_PORT", "found port \(port), expected 0 to 65535")
    }
    if let authentication, authentication.mechanisms.isEmpty {
      throw HeadraceError(.user, "NO_MECHANISM", "SASL is configured without a mechanism", remedy: "name at least one")
    }
  }
}

extension BrokerConfiguration {
  /// The same limits as the group coordinator takes them.
  var groupConfiguration: GroupConfiguration {
    GroupConfiguration(
      sessionTimeoutMillisecondsMinimum: groups.minimumSessionTimeoutMilliseconds,
      sessionTimeoutMillisecondsMaximum: groups.maximumSessionTimeoutMilliseconds,
      initialRebalanceDelayMilliseconds: groups.initialRebalanceDelayMilliseconds, membersMaximum: groups.maximumSize,
      offsetsRetentionMilliseconds: groups.offsetsRetentionMilliseconds)
  }

  var transactionConfiguration: TransactionConfiguration {
    TransactionConfiguration(
      timeoutMillisecondsMaximum: transactions.maximumTimeoutMilliseconds,
      idExpirationMilliseconds: transactions.identifierExpirationMilliseconds)
  }
}
