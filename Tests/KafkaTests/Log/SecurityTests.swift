import Core
import Synchronization
import Testing

@testable import Broker
@testable import Kafka

/// Logging in and encrypting, against the embedded broker.
@Suite struct SecurityTests {
  private static let tokenSecret = Array("0123456789abcdef0123456789abcdef".utf8)

  private static func requireLogin(_ configuration: inout BrokerConfiguration) {
    var credentials = Credentials()
    credentials.add(user: "ann", password: "pencil")
    credentials.tokenVerifier = TokenVerifier(secret: tokenSecret)
    configuration.authentication = .init(mechanisms: SASLMechanism.allCases, credentials: credentials)
  }

  /// A record there and back, by everything that has to log in: admin, producer, consumer.
  private static func roundTrip(_ client: ClientConfiguration) throws {
    try Admin(client).createTopic(NewTopic(name: "a", partitionCount: 1))
    let producer = try Producer(ProducerConfiguration(client: client))
    var batch = ProduceBatch(topic: "a")
    try batch.append(key: nil, value: "secret", partition: 0)
    #expect(try producer.sendAndWait(batch, timeoutMilliseconds: 10_000).acknowledged == 1)
    let reader = try Consumer(ConsumerConfiguration(client: client, groupID: "g"))
    try reader.assign([TopicPartition(topic: "a", partition: 0): .beginning])
    #expect(try reader.collect(1).map(\.value) == ["secret"])
    try reader.close()
    producer.close()
  }

  @Test(arguments: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
  func passwordsLogIn(mechanism: String) async throws {
    try await withNode(Self.requireLogin) { node in
      let authentication: (Secret) -> SecurityConfiguration.Authentication = { password in
        switch mechanism {
        case "PLAIN": .plain(username: "ann", password: password)
        case "SCRAM-SHA-256": .scramSHA256(username: "ann", password: password)
        default: .scramSHA512(username: "ann", password: password)
        }
      }
      var client = node.client
      client.security.authentication = authentication(Secret("pencil"))
      try Self.roundTrip(client)

      client.security.authentication = authentication(Secret("hunter2"))
      client.requestTimeoutMilliseconds = 1_500
      let log = Mutex<[String]>([])
      client.log = { line in log.withLock { $0.append("\(line)") } }
      let error = #expect(throws: HeadraceError.self) { try Admin(client).describeCluster() }
      #expect(error?.message.contains("uthentication") == true, "\(error as Any)")
      #expect(!"\(error as Any) \(log.withLock { $0 })".contains("hunter2"))
    }
  }

  @Test func tokensLogInAndAreAskedForAgain() async throws {
    let asked = Atomic<Int>(0)
    try await withNode(Self.requireLogin) { node in
      var client = node.client
      client.security.authentication = .oauthBearer(
        .provider {
          asked.add(1, ordering: .relaxed)
          return Self.token(lifetimeMilliseconds: 2_500)
        })
      try Self.roundTrip(client)
      let before = asked.load(ordering: .relaxed)
      let admin = try Admin(client)
      let deadline = WallClock.monotonic.nowMilliseconds + 10_000
      // Refreshed at four fifths of its life.
      while asked.load(ordering: .relaxed) < before + 3, WallClock.monotonic.nowMilliseconds < deadline {
        _ = try admin.describeCluster()
        Sleep.milliseconds(50)
      }
      #expect(asked.load(ordering: .relaxed) >= before + 3)
    }
  }

  private static func token(lifetimeMilliseconds: Int64) -> SecurityConfiguration.OAuthToken {
    let expiry = WallClock.system.nowMilliseconds + lifetimeMilliseconds
    let url: ([UInt8]) -> String = { bytes in
      String(Base64.encode(bytes).compactMap { ["+": "-", "/": "_"][$0] ?? ($0 == "=" ? nil : $0) })
    }
    let claims = #"{"sub":"ann","exp":\#(Double(expiry) / 1_000)}"#
    let signed = "\(url(Array(#"{"alg":"HS256"}"#.utf8))).\(url(Array(claims.utf8)))"
    let signature = HashFunction.sha256.authenticationCode(key: tokenSecret, Array(signed.utf8))
    return .init(value: Secret("\(signed).\(url(signature))"), principal: "ann", expiresAtMilliseconds: expiry)
  }

  @Test func connectionsAreEncryptedAndBothSidesProveThemselves() async throws {
    let certificates = try Certificates.make(hostName: "localhost")
    defer { removeFolder(certificates.folder) }
    try await withNode { configuration in
      configuration.host = "127.0.0.1"
      configuration.advertisedHost = "localhost"
      configuration.transport = .tls(
        certificateFile: certificates.certificate("server"), keyFile: certificates.key("server"),
        clientAuthorityFile: certificates.certificate("authority"))
    } _: { node in
      func client(
        _ identity: String?, authority: String = "authority", host: String = "localhost"
      ) -> ClientConfiguration {
        var client = ClientConfiguration(bootstrapServers: "\(host):\(node.broker.port)")
        client.properties = ["broker.address.family": "v4"]
        client.security.transport = .tls(
          .init(
            authority: .file(certificates.certificate(authority)),
            identity: identity.map {
              .init(certificateChain: .file(certificates.certificate($0)), privateKey: .file(certificates.key($0)))
            }))
        client.requestTimeoutMilliseconds = 1_500
        return client
      }
      var good = client("client")
      good.requestTimeoutMilliseconds = 10_000
      try Self.roundTrip(good)
      for (bad, reason) in [
        (client(nil), "no client certificate"), (client("intruder"), "a client of another authority"),
        (client("client", authority: "stranger"), "a server of another authority"),
        (client("client", host: "127.0.0.1"), "a name that the certificate does not have"),
      ] {
        #expect(throws: HeadraceError.self, "\(reason)") { try Admin(bad).describeCluster() }
      }
      var lenient = client("client", host: "127.0.0.1")
      if case .tls(var tls) = lenient.security.transport {
        tls.verifiesHostName = false
        lenient.security.transport = .tls(tls)
      }
      lenient.requestTimeoutMilliseconds = 10_000
      #expect(try Admin(lenient).describeCluster().brokers.count == 1)
    }
  }

  @Test func certificatesMayBeGivenAsText() async throws {
    let certificates = try Certificates.make(hostName: "localhost")
    defer { removeFolder(certificates.folder) }
    try await withNode { configuration in
      configuration.advertisedHost = "localhost"
      configuration.transport = .tls(
        certificateFile: certificates.certificate("server"), keyFile: certificates.key("server"),
        clientAuthorityFile: certificates.certificate("authority"))
    } _: { node in
      var client = ClientConfiguration(bootstrapServers: "localhost:\(node.broker.port)")
      client.properties = ["broker.address.family": "v4"]
      client.security.transport = .tls(
        .init(
          authority: .pem(try text(certificates.certificate("authority"))),
          identity: .init(
            certificateChain: .pem(try text(certificates.certificate("client"))),
            privateKey: .pem(try text(certificates.key("client"))))))
      try Self.roundTrip(client)
    }
  }
}
