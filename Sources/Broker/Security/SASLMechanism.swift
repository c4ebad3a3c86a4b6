/// The SASL mechanisms that the broker speaks, by their registered names.
package enum SASLMechanism: String, Sendable, CaseIterable {
  case plain = "PLAIN"
  case scramSHA256 = "SCRAM-SHA-256"
  case scramSHA512 = "SCRAM-SHA-512"
  case oauthBearer = "OAUTHBEARER"
}

/// One step of a SASL exchange, seen from the server.
enum SASLStep {
  /// Send this and wait for the next message.
  case challenge([UInt8])
  /// The peer is this user; send the last message, which may be empty.
  case authenticated(user: String, [UInt8])
  /// Refused; the text says why without telling a secret.
  case refused(String)
}

/// A SASL exchange in progress: messages in, steps out.
struct SASLExchange {
  private enum State {
    case plain
    case oauthBearer
    case scram(ScramExchange)
  }

  private var state: State
  private let credentials: Credentials

  init(_ mechanism: SASLMechanism, credentials: Credentials) {
    self.credentials = credentials
    state =
      switch mechanism {
      case .plain: .plain
      case .oauthBearer: .oauthBearer
      case .scramSHA256: .scram(ScramExchange(.scramSHA256, .sha256))
      case .scramSHA512: .scram(ScramExchange(.scramSHA512, .sha512))
      }
  }

  mutating func receive(_ message: [UInt8], nowMilliseconds: Int64) -> SASLStep {
    switch state {
    case .plain: return receivePlain(message)
    case .oauthBearer: return receiveToken(message, nowMilliseconds: nowMilliseconds)
    case .scram(var exchange):
      let step = exchange.receive(message, credentials: credentials)
      state = .scram(exchange)
      return step
    }
  }

  /// RFC 4616: authorization id, NUL, user, NUL, password.
  private func receivePlain(_ message: [UInt8]) -> SASLStep {
    let parts = message.split(separator: 0, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return .refused("PLAIN needs three parts, found \(parts.count)") }
    let user = String(decoding: parts[1], as: UTF8.self)
    guard parts[0].isEmpty || parts[0] == parts[1] else {
      return .refused("acting for another user is not supported")
    }
    guard credentials.accepts(user: user, password: Array(parts[2])) else {
      return .refused("user or password is wrong")
    }
    return .authenticated(user: user, [])
  }

  /// RFC 7628: a GS2 header, then `auth=Bearer TOKEN` between control-A bytes.
  private func receiveToken(_ message: [UInt8], nowMilliseconds: Int64) -> SASLStep {
    guard let verifier = credentials.tokenVerifier else { return .refused("OAUTHBEARER is not configured") }
    let prefix = Array("auth=Bearer ".utf8)
    guard let field = message.split(separator: 1).first(where: { $0.starts(with: prefix) }) else {
      return .refused("no bearer token in the message")
    }
    switch verifier.verify(Array(field.dropFirst(prefix.count)), nowMilliseconds: nowMilliseconds) {
    case .success(let subject): return .authenticated(user: subject, [])
    case .failure(let refusal): return .refused(refusal.reason)
    }
  }
}
