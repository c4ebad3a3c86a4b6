internal import ArgumentParser
internal import Broker
internal import Core
internal import Glibc
internal import Logging

/// `headrace broker`: the embedded log as a process of its own.
struct BrokerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "broker",
    abstract: "Run the embedded single-node log, which speaks the Kafka protocol.",
    discussion: """
      It keeps everything by default, binds loopback, and refuses any other address unless TLS or SASL is configured.
      SIGTERM drains: no new requests, logs flushed, exit 0. A second signal stops at once.
      Exit codes: 0 stopped as asked; 1 the folder is damaged or the disk failed; 2 usage; 130/143 a second signal.
      """)

  @Option(help: "The folder that holds the log; made when missing.") var data: String?
  @Option(help: "HOST:PORT to bind; port 0 takes a free one.") var listen = "127.0.0.1:9092"
  @Option(help: "HOST:PORT that clients are told to connect to.") var advertise: String?
  @Option(help: "Write HOST:PORT here once requests are served.") var portFile: String?
  @Option(name: .customLong("config"), help: "A server.properties setting, NAME=VALUE; repeatable.")
  var properties: [String] = []
  @Option(help: "PEM certificate chain: clients must use TLS.") var tlsCertificate: String?
  @Option(help: "PEM key of that certificate.") var tlsKey: String?
  @Option(help: "PEM authority: only clients with a certificate of it get in (mTLS).") var tlsClientCa: String?
  @Option(help: "File of user:password lines: clients must log in.") var saslUsers: String?
  @Option(help: "Comma-separated SASL mechanisms.") var saslMechanisms = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
  @Option(help: "File with the secret that signs OAUTHBEARER tokens (HS256); turns OAUTHBEARER on.")
  var oauthSecret: String?
  @Option(help: "The issuer that OAUTHBEARER tokens must name.") var oauthIssuer: String?
  @Option(help: "The audience that OAUTHBEARER tokens must name.") var oauthAudience: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "info"
  @Option(name: .customLong("fault"), help: "Test switch: API:KIND[:every=N|:first=N]; repeatable.")
  var faults: [String] = []
  @Flag(help: "Print the names of the kill points (HEADRACE_KILL_AT=NAME:N) and exit.") var listKillPoints = false

  func validate() throws {
    guard data != nil || listKillPoints else { throw ValidationError("--data DIR is missing: where the log is kept") }
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-certificate and --tls-key go together")
    }
    guard tlsClientCa == nil || tlsCertificate != nil else {
      throw ValidationError("--tls-client-ca needs --tls-certificate and --tls-key")
    }
  }

  func run() async throws {
    if listKillPoints {
      for point in KillPoint.allCases { print(point.rawValue) }
      return
    }
    try await serve(try brokerConfiguration())
  }

  private func serve(_ configuration: BrokerConfiguration) async throws {
    var logger = Logger(label: "broker") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
    let broker = try await Broker.start(configuration, logger: logger)
    logger.notice(
      "serving", metadata: ["address": "\(broker.host):\(broker.port)", "data": "\(configuration.dataDirectory)"])
    if let portFile { try TextFile.write("\(broker.host):\(broker.port)\n", to: portFile) }
    let signal = try await TerminationSignal.next()
    logger.notice("draining", metadata: ["signal": "\(signal)"])
    try TerminationSignal.exitOnNext()
    try await broker.stop()
    logger.notice("stopped")
  }

  private func brokerConfiguration() throws -> BrokerConfiguration {
    var configuration = BrokerConfiguration(dataDirectory: data ?? "")
    (configuration.host, configuration.port) = try HostAndPort.parse(listen, flag: "--listen")
    if let advertise {
      let (host, port) = try HostAndPort.parse(advertise, flag: "--advertise")
      (configuration.advertisedHost, configuration.advertisedPort) = (host, port)
    }
    for property in properties {
      let parts = property.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw ValidationError("--config \(property): expected NAME=VALUE") }
      try configuration.set(property: String(parts[0]), to: String(parts[1]))
    }
    if let tlsCertificate, let tlsKey {
      configuration.transport = .tls(
        certificateFile: tlsCertificate, keyFile: tlsKey, clientAuthorityFile: tlsClientCa)
    }
    configuration.authentication = try authentication()
    configuration.faults = try faults.map { try FaultRule(parsing: $0) }
    return configuration
  }

  private func authentication() throws -> BrokerConfiguration.Authentication? {
    guard saslUsers != nil || oauthSecret != nil else { return nil }
    var credentials = try saslUsers.map { try Credentials(usersFile: TextFile.read($0), path: $0) } ?? Credentials()
    var mechanisms = try saslMechanisms.split(separator: ",").map { name in
      guard let mechanism = SASLMechanism(rawValue: String(name)) else {
        let known = SASLMechanism.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--sasl-mechanisms: found \(name), expected some of \(known)")
      }
      return mechanism
    }
    if saslUsers == nil { mechanisms = [] }
    if let oauthSecret {
      let secret = try TextFile.readLine(oauthSecret)
      guard secret.utf8.count >= 32 else {
        throw ValidationError("--oauth-secret: the secret must have at least 32 bytes")
      }
      credentials.tokenVerifier = TokenVerifier(
        secret: Array(secret.utf8), issuer: oauthIssuer, audience: oauthAudience)
      if !mechanisms.contains(.oauthBearer) { mechanisms.append(.oauthBearer) }
    }
    return .init(mechanisms: mechanisms, credentials: credentials)
  }
}
