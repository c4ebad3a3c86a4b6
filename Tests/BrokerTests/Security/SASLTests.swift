import Testing

@testable import Broker

@Suite struct SASLTests {
  private func credentials() -> Credentials {
    var credentials = Credentials()
    credentials.add(user: "user", password: "pencil")
    credentials.tokenVerifier = TokenVerifier(secret: Self.secret, issuer: "issuer", audience: "kafka")
    return credentials
  }

  private static let secret = Array("0123456789abcdef0123456789abcdef".utf8)

  @Test func plainAcceptsThePasswordAndNothingElse() {
    for (message, isAccepted) in [
      ("\0user\0pencil", true), ("user\0user\0pencil", true), ("\0user\0Pencil", false), ("\0user\0", false),
      ("\0nobody\0pencil", false), ("other\0user\0pencil", false), ("user pencil", false), ("", false),
    ] {
      var exchange = SASLExchange(.plain, credentials: credentials())
      let step = exchange.receive(Array(message.utf8), nowMilliseconds: 0)
      if case .authenticated(let user, _) = step {
        #expect(isAccepted && user == "user", "\(message.debugDescription)")
      } else {
        #expect(!isAccepted, "\(message.debugDescription)")
      }
    }
  }

  /// Plays the client of RFC 5802 section 3 against the server.
  private func scram(
    _ mechanism: SASLMechanism, _ hash: HashFunction, user: String = "user", password: String,
    tamper: (String) -> String = { $0 }
  ) -> SASLStep {
    var exchange = SASLExchange(mechanism, credentials: credentials())
    let clientFirstBare = "n=\(user),r=abcdefgh"
    guard case .challenge(let challenge) = exchange.receive(Array("n,,\(clientFirstBare)".utf8), nowMilliseconds: 0)
    else {
      return .refused("no challenge")
    }
    let serverFirst = String(decoding: challenge, as: UTF8.self)
    let fields = Dictionary(
      uniqueKeysWithValues: serverFirst.split(separator: ",").map { ($0.prefix(1), String($0.dropFirst(2))) })
    guard let nonce = fields["r"], let salt = fields["s"].flatMap({ Base64.decode($0.utf8) }),
      let iterations = fields["i"].flatMap({ Int32($0) })
    else { return .refused("the challenge lacks a field") }
    let withoutProof = tamper("c=biws,r=\(nonce)")
    let salted = hash.saltedPassword(Array(password.utf8), salt: salt, iterations: iterations)
    let clientKey = hash.authenticationCode(key: salted, Array("Client Key".utf8))
    let signature = hash.authenticationCode(
      key: hash.digest(clientKey), Array("\(clientFirstBare),\(serverFirst),\(withoutProof)".utf8))
    let proof = Base64.encode(zip(clientKey, signature).map { $0 ^ $1 })
    return exchange.receive(Array("\(withoutProof),p=\(proof)".utf8), nowMilliseconds: 0)
  }

  @Test(arguments: [(SASLMechanism.scramSHA256, HashFunction.sha256), (.scramSHA512, .sha512)])
  func scramProvesBothSides(mechanism: SASLMechanism, hash: HashFunction) {
    guard case .authenticated("user", let final) = scram(mechanism, hash, password: "pencil") else {
      Issue.record("the right password was refused")
      return
    }
    #expect(final.starts(with: Array("v=".utf8)))
    for step in [
      scram(mechanism, hash, password: "Pencil"), scram(mechanism, hash, user: "nobody", password: "pencil"),
      scram(mechanism, hash, password: "pencil", tamper: { $0 + "x" }),
    ] {
      guard case .refused = step else {
        Issue.record("\(step)")
        return
      }
    }
  }

  /// librdkafka before 2.6.1 repeats its nonce; a strict server would lock those clients out.
  @Test func theDoubledNonceOfOldClientsIsAccepted() {
    let step = scram(.scramSHA256, .sha256, password: "pencil") {
      $0.replacing("r=abcdefgh", with: "r=abcdefghabcdefgh")
    }
    guard case .authenticated = step else {
      Issue.record("\(step)")
      return
    }
  }

  private func token(header: String = #"{"alg":"HS256"}"#, claims: String, secret: [UInt8] = secret) -> [UInt8] {
    let signed = "\(url(Array(header.utf8))).\(url(Array(claims.utf8)))"
    let signature = HashFunction.sha256.authenticationCode(key: secret, Array(signed.utf8))
    return Array("n,,\u{1}auth=Bearer \(signed).\(url(signature))\u{1}\u{1}".utf8)
  }

  private func url(_ bytes: [UInt8]) -> String {
    Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  @Test func tokensAreCheckedInEveryClaim() {
    let good = #"{"sub":"me","exp":2000,"iss":"issuer","aud":["x","kafka"]}"#
    for (message, isAccepted) in [
      (token(claims: good), true),
      (token(header: #"{"alg":"none"}"#, claims: good), false),
      (token(claims: good, secret: Array(repeating: 1, count: 32)), false),
      (token(claims: #"{"sub":"me","exp":999,"iss":"issuer","aud":"kafka"}"#), false),
      (token(claims: #"{"sub":"me","iss":"issuer","aud":"kafka"}"#), false),
      (token(claims: #"{"sub":"me","exp":2000,"nbf":1500,"iss":"issuer","aud":"kafka"}"#), false),
      (token(claims: #"{"sub":"me","exp":2000,"iss":"other","aud":"kafka"}"#), false),
      (token(claims: #"{"sub":"me","exp":2000,"iss":"issuer","aud":"other"}"#), false),
      (token(claims: #"{"exp":2000,"iss":"issuer","aud":"kafka"}"#), false),
      (Array("n,,\u{1}auth=Bearer a.b\u{1}\u{1}".utf8), false),
    ] {
      var exchange = SASLExchange(.oauthBearer, credentials: credentials())
      let step = exchange.receive(message, nowMilliseconds: 1_000_000)
      if case .authenticated(let user, _) = step {
        #expect(isAccepted && user == "me")
      } else {
        #expect(!isAccepted, "\(step)")
      }
    }
  }
}
