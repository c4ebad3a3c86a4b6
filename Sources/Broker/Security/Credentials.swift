package import Core

/// Who may log in. SCRAM keeps a salted form only; PLAIN is checked against that same form.
package struct Credentials: Sendable {
  /// What RFC 5802 lets a server store: enough to check a client, not enough to be one.
  struct Scram: Sendable {
    let salt: [UInt8]
    let storedKey: [UInt8]
    let serverKey: [UInt8]
  }

  static let iterations: Int32 = 4_096
  private var scram: [String: [SASLMechanism: Scram]] = [:]
  /// The secret that signs OAUTHBEARER tokens (HS256) and what their claims must say; nil: the mechanism is off.
  package var tokenVerifier: TokenVerifier?

  package init() {}

  package var userCount: Int { scram.count }

  package mutating func add(user: String, password: String) {
    scram[user] = [
      .scramSHA256: Self.salted(password, .sha256), .scramSHA512: Self.salted(password, .sha512),
    ]
  }

  /// - Parameter text: one `user:password` a line; `#` starts a comment line.
  package init(usersFile text: String, path: String) throws(HeadraceError) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
        throw HeadraceError(
          .user, "BAD_USERS_FILE", "a line that is not user:password", place: "\(path):\(index + 1)",
          remedy: "write one user:password a line")
      }
      add(user: String(line[..<colon]), password: String(line[line.index(after: colon)...]))
    }
  }

  func scram(user: String, mechanism: SASLMechanism) -> Scram? { scram[user]?[mechanism] }

  func accepts(user: String, password: [UInt8]) -> Bool {
    // An unknown user costs the same time as a wrong password.
    let known = scram[user]?[.scramSHA256]
    let salted = HashFunction.sha256.saltedPassword(
      password, salt: known?.salt ?? [0], iterations: Self.iterations)
    let stored = HashFunction.sha256.digest(
      HashFunction.sha256.authenticationCode(key: salted, Array("Client Key".utf8)))
    return SecureBytes.areEqual(stored, known?.storedKey ?? [])
  }

  private static func salted(_ password: String, _ hash: HashFunction) -> Scram {
    let salt = SecureBytes.random(24)
    let salted = hash.saltedPassword(Array(password.utf8), salt: salt, iterations: iterations)
    let clientKey = hash.authenticationCode(key: salted, Array("Client Key".utf8))
    return Scram(
      salt: salt, storedKey: hash.digest(clientKey),
      serverKey: hash.authenticationCode(key: salted, Array("Server Key".utf8)))
  }
}
