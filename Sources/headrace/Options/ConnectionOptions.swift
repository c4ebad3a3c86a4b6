internal import ArgumentParser
internal import Core
internal import Glibc
internal import Kafka

/// Where the brokers are and how to prove oneself to them: the same flags on every command.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Brokers to begin with, separated by commas. (HEADRACE_BOOTSTRAP_SERVERS; default: 127.0.0.1:9092)",
      valueName: "host:port"))
  var bootstrap: String?

  @Option(
    help: ArgumentHelp(
      "plaintext, ssl, sasl_plaintext or sasl_ssl. Default: with TLS, but for brokers on this machine without.",
      valueName: "protocol"))
  var securityProtocol: String?

  @Option(help: ArgumentHelp("Trust this authority (PEM) instead of the system's.", valueName: "file"))
  var ca: String?

  @Option(help: ArgumentHelp("Prove yourself by this certificate chain (PEM).", valueName: "file"))
  var certificate: String?

  @Option(help: ArgumentHelp("The private key (PEM) of that certificate.", valueName: "file"))
  var certificateKey: String?

  @Option(
    help: ArgumentHelp("PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. Default: PLAIN.", valueName: "mechanism"))
  var saslMechanism: String?

  @Option(help: ArgumentHelp("User, or client id of OAUTHBEARER.", valueName: "name"))
  var saslUser: String?

  @Option(
    help: ArgumentHelp(
      "File with the password or client secret; else the environment's HEADRACE_SASL_PASSWORD.", valueName: "file"))
  var saslPasswordFile: String?

  @Option(help: ArgumentHelp("Where OAUTHBEARER gets its tokens (OpenID Connect, https).", valueName: "url"))
  var oauthTokenEndpoint: String?

  @Option(
    help: ArgumentHelp("How long to wait for an answer of the broker, such as 500ms, 30s.", valueName: "duration"))
  var timeout = "30s"

  @Flag(name: .shortAndLong, help: "Say on stderr what the client does.")
  var verbose = false

  mutating func validate() throws {
    for server in servers.split(separator: ",", omittingEmptySubsequences: false) {
      _ = try HostAndPort.parse(String(server), flag: "--bootstrap")
    }
    _ = try timeoutMilliseconds()
  }
}

extension ConnectionOptions {
  /// The flag, else the environment, else the broker that `headrace broker` starts.
  private var servers: String { bootstrap ?? Environment["BOOTSTRAP_SERVERS"] ?? "127.0.0.1:9092" }

  func timeoutMilliseconds() throws -> Int32 {
    guard let milliseconds = Quantity.milliseconds(timeout), let value = Int32(exactly: milliseconds), value >= 10
    else {
      throw ValidationError("--timeout \(timeout): expected a duration from 10ms, such as 500ms or 30s")
    }
    return value
  }

  /// - Throws: `ValidationError` when the flags do not fit together.
  func clientConfiguration() throws -> ClientConfiguration {
    var configuration = ClientConfiguration(bootstrapServers: servers)
    configuration.requestTimeoutMilliseconds = try timeoutMilliseconds()
    configuration.security = try security()
    configuration.logLevel = verbose ? .debug : .warning
    configuration.log = { [verbose] line in
      ClientTrouble.note(line)
      if verbose { StandardError.write("client: \(line)") }
    }
    return configuration
  }

  private var isLocal: Bool {
    servers.split(separator: ",").allSatisfy { server in
      (try? HostAndPort.parse(String(server), flag: "--bootstrap")).map { HostAndPort.isLoopback($0.host) } ?? false
    }
  }

  private func security() throws -> SecurityConfiguration {
    let user = saslUser ?? Environment["SASL_USER"]
    let named = (securityProtocol ?? Environment["SECURITY_PROTOCOL"])?.lowercased()
    let usesTLSByDefault = !isLocal || ca != nil || certificate != nil
    let name = named ?? (user == nil ? "" : "sasl_") + (usesTLSByDefault ? "ssl" : "plaintext")
    guard ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"].contains(name) else {
      throw ValidationError("--security-protocol \(name): expected plaintext, ssl, sasl_plaintext or sasl_ssl")
    }
    let hasTLS = name.hasSuffix("ssl")
    let hasLogin = name.hasPrefix("sasl")
    if !hasTLS && (ca != nil || certificate != nil) {
      throw ValidationError("--ca and --certificate need --security-protocol ssl or sasl_ssl, found \(name)")
    }
    if !hasTLS && !isLocal {
      StandardError.write("warning: \(servers) is not on this machine, and \(name) encrypts nothing")
    }
    if !hasLogin && user != nil {
      throw ValidationError("--sasl-user needs --security-protocol sasl_ssl or sasl_plaintext, found \(name)")
    }
    return SecurityConfiguration(
      transport: hasTLS ? .tls(try tls()) : .plaintext, authentication: hasLogin ? try login(user) : .none)
  }

  private func tls() throws -> SecurityConfiguration.TLS {
    let authority = (ca ?? Environment["CA"]).map { SecurityConfiguration.Material.file($0) }
    switch (certificate ?? Environment["CERTIFICATE"], certificateKey ?? Environment["CERTIFICATE_KEY"]) {
    case (let chain?, let key?):
      let password = Environment["CERTIFICATE_KEY_PASSWORD"].map { Secret($0) }
      let identity = SecurityConfiguration.Identity(
        certificateChain: .file(chain), privateKey: .file(key), privateKeyPassword: password)
      return .init(authority: authority, identity: identity)
    case (nil, nil): return .init(authority: authority)
    default: throw ValidationError("--certificate and --certificate-key go together")
    }
  }

  private func login(_ user: String?) throws -> SecurityConfiguration.Authentication {
    guard let user else { throw ValidationError("SASL needs --sasl-user (or HEADRACE_SASL_USER)") }
    let password: Secret
    if let saslPasswordFile {
      password = Secret(try TextFile.readLine(saslPasswordFile))
    } else if let value = Environment["SASL_PASSWORD"] {
      password = Secret(value)
    } else {
      throw ValidationError("SASL needs a password: set HEADRACE_SASL_PASSWORD or give --sasl-password-file")
    }
    switch (saslMechanism ?? Environment["SASL_MECHANISM"] ?? "PLAIN").uppercased() {
    case "PLAIN": return .plain(username: user, password: password)
    case "SCRAM-SHA-256": return .scramSHA256(username: user, password: password)
    case "SCRAM-SHA-512": return .scramSHA512(username: user, password: password)
    case "OAUTHBEARER":
      guard let endpoint = oauthTokenEndpoint ?? Environment["OAUTH_TOKEN_ENDPOINT"] else {
        throw ValidationError("OAUTHBEARER needs --oauth-token-endpoint")
      }
      return .oauthBearer(
        .openIDConnect(tokenEndpoint: endpoint, clientID: user, clientSecret: password, scope: nil))
    case let other:
      throw ValidationError(
        "--sasl-mechanism \(other): expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
    }
  }
}

/// The environment's `HEADRACE_…` variables.
enum Environment {
  /// All variables, by name.
  static var all: [String: String] {
    var variables: [String: String] = [:]
    var next = unsafe environ
    while let entry = unsafe next.pointee {
      let parts = unsafe String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      unsafe next += 1
    }
    return variables
  }

  static subscript(_ name: String) -> String? {
    guard let value = unsafe getenv("HEADRACE_\(name)") else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }
}
