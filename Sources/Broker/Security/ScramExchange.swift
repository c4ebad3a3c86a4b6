/// The server's side of SCRAM (RFC 5802, RFC 7677), without channel binding.
struct ScramExchange {
  private enum State {
    case waitingForFirst
    case waitingForFinal(user: String, Credentials.Scram?, nonce: String, clientFirstBare: String, serverFirst: String)
    case done
  }

  private let mechanism: SASLMechanism
  private let hash: HashFunction
  private var state = State.waitingForFirst

  init(_ mechanism: SASLMechanism, _ hash: HashFunction) {
    self.mechanism = mechanism
    self.hash = hash
  }

  mutating func receive(_ message: [UInt8], credentials: Credentials) -> SASLStep {
    let text = String(decoding: message, as: UTF8.self)
    switch state {
    case .waitingForFirst: return receiveFirst(text, credentials: credentials)
    case .waitingForFinal(let user, let stored, let nonce, let clientFirstBare, let serverFirst):
      state = .done
      return receiveFinal(
        text, user: user, stored: stored, nonce: nonce, clientFirstBare: clientFirstBare, serverFirst: serverFirst)
    case .done: return .refused("the exchange is over")
    }
  }

  private mutating func receiveFirst(_ text: String, credentials: Credentials) -> SASLStep {
    // gs2-header is "n,," or "y,,", with an optional authorization id between the commas.
    let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "n" || parts[0] == "y" else {
      return .refused("not a SCRAM client-first message without channel binding")
    }
    let bare = String(parts[2])
    let fields = Self.fields(bare)
    guard let name = fields["n"], let clientNonce = fields["r"], !clientNonce.isEmpty else {
      return .refused("the client-first message lacks a user or a nonce")
    }
    let user = Self.unescaped(name)
    let stored = credentials.scram(user: user, mechanism: mechanism)
    // An unknown user gets a salt too, so that the answer does not tell which users exist.
    let salt = stored?.salt ?? Array(hash.digest(Array("unknown:\(user)".utf8)).prefix(24))
    let nonce = clientNonce + Base64.encode(SecureBytes.random(18))
    let serverFirst = "r=\(nonce),s=\(Base64.encode(salt)),i=\(Credentials.iterations)"
    state = .waitingForFinal(
      user: user, stored, nonce: nonce, clientFirstBare: bare, serverFirst: serverFirst)
    return .challenge(Array(serverFirst.utf8))
  }

  private func receiveFinal(
    _ text: String, user: String, stored: Credentials.Scram?, nonce: String, clientFirstBare: String,
    serverFirst: String
  ) -> SASLStep {
    let fields = Self.fields(text)
    guard let foundNonce = fields["r"], let proof = fields["p"].flatMap({ Base64.decode($0.utf8) }),
      let withoutProof = text.lastIndex(ofText: ",p=").map({ String(text[..<$0]) })
    else { return .refused("the client-final message lacks a nonce or a proof") }
    // librdkafka before 2.6.1 sends its own nonce twice in front; Apache Kafka accepts any prefix, and so do we.
    guard foundNonce.hasSuffix(nonce) else { return .refused("the nonce is not the one of this exchange") }
    guard let stored else { return .refused("user or password is wrong") }
    let message = Array("\(clientFirstBare),\(serverFirst),\(withoutProof)".utf8)
    let signature = hash.authenticationCode(key: stored.storedKey, message)
    guard proof.count == signature.count else { return .refused("user or password is wrong") }
    let clientKey = zip(proof, signature).map { $0 ^ $1 }
    guard SecureBytes.areEqual(hash.digest(clientKey), stored.storedKey) else {
      return .refused("user or password is wrong")
    }
    let verifier = hash.authenticationCode(key: stored.serverKey, message)
    return .authenticated(user: user, Array("v=\(Base64.encode(verifier))".utf8))
  }

  /// `a=1,b=2` as a dictionary; values may hold `=`.
  private static func fields(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    for part in text.split(separator: ",") {
      guard let equals = part.firstIndex(of: "=") else { continue }
      fields[String(part[..<equals])] = String(part[part.index(after: equals)...])
    }
    return fields
  }

  private static func unescaped(_ name: String) -> String {
    var result = ""
    var rest = Substring(name)
    while let equals = rest.firstIndex(of: "=") {
      result += rest[..<equals]
      let escape = rest[equals...].prefix(3)
      result += escape == "=2C" ? "," : escape == "=3D" ? "=" : escape
      rest = rest[equals...].dropFirst(3)
    }
    return result + rest
  }
}

extension String {
  /// Where the last occurrence of `needle` starts.
  fileprivate func lastIndex(ofText needle: String) -> Index? {
    var index = endIndex
    while index > startIndex {
      index = self.index(before: index)
      if self[index...].hasPrefix(needle) { return index }
    }
    return nil
  }
}
