internal import Core

/// Lets requests through, or says why not.
///
/// With an access file a request that decides something needs a token whose principal has the role, and the principal
/// is the one who did it. Without one, a server that only this machine reaches takes the name that the request gives,
/// and every other server decides nothing.
struct AccessGate: Sendable {
  /// Who somebody is.
  enum Caller: Equatable {
    /// Proved by a token.
    case principal(String)
    /// Somebody on this machine, who says who they are.
    case local

    var name: String? { if case .principal(let name) = self { name } else { nil } }
  }

  /// What a request's head says of who sends it, and to whom.
  struct Visitor {
    /// `Host`; nil where there is none.
    var authority: String?
    var authorization: String?
    /// It came through a proxy, so it need not have begun on this machine.
    var isForwarded = false
  }

  private static let scheme = "bearer "

  private let list: @Sendable () -> AccessList?
  private let listening: HostName
  private let clock: WallClock

  /// - Parameters:
  ///   - list: what the file says now; nil: there is none.
  ///   - host: that the server listens on.
  init(_ list: @escaping @Sendable () -> AccessList?, host: String, clock: WallClock) {
    self.list = list
    self.clock = clock
    listening = HostName(host)
  }

  /// - Throws: why the request may not decide what only `role` may decide.
  func decider(_ role: AccessList.Role, _ visitor: Visitor) throws(Problem) -> Caller {
    let list = list()
    try checkHost(visitor, list)
    guard let list else {
      try checkLocal(visitor)
      return .local
    }
    let principal = try principal(visitor, list)
    guard principal.roles.contains(role) else {
      throw Problem(
        403, "ROLE_MISSING", "`\(principal.name)` has not the role \(role.rawValue)",
        remedy: "ask somebody who has it, or have the access file changed")
    }
    return .principal(principal.name)
  }

  /// - Throws: why the request may not look.
  func checkReader(_ visitor: Visitor) throws(Problem) {
    guard let list = list(), list.reading == .token else { return }
    _ = try principal(visitor, list)
  }

  /// Whether there is no need to look at who reads.
  var isReadingOpen: Bool { list()?.reading != .token }

  /// How a request stands: for the console.
  func session(_ visitor: Visitor) throws(Problem) -> Session {
    let list = list()
    guard let list else {
      let refusal: Problem? = Problem.refusal { () throws(Problem) in
        try checkHost(visitor, nil)
        try checkLocal(visitor)
      }
      return Session(mode: refusal == nil ? .local : .readOnly, reading: .open, reason: refusal?.message)
    }
    guard visitor.authorization != nil else {
      return Session(mode: .token, reading: list.reading)
    }
    let principal = try principal(visitor, list)
    return Session(
      mode: .token, reading: list.reading, principal: principal.name,
      roles: AccessList.Role.allCases.filter(principal.roles.contains))
  }

  struct Session {
    enum Mode: String {
      /// Tokens decide.
      case token
      /// Whoever is on this machine decides, and says who they are.
      case local
      /// Nobody decides over HTTP.
      case readOnly = "read_only"
    }

    var mode: Mode
    var reading: AccessList.Reading
    var principal: String?
    var roles: [AccessList.Role] = []
    /// Why nobody decides.
    var reason: String?
  }
}

extension AccessGate {
  private func principal(_ visitor: Visitor, _ list: AccessList) throws(Problem) -> AccessList.Principal {
    guard let header = visitor.authorization else {
      throw Problem(
        401, "LOGIN_NEEDED", "this needs a token",
        remedy: "send `Authorization: Bearer TOKEN`; `headrace access token NAME` makes one")
    }
    guard header.lowercased().hasPrefix(Self.scheme),
      let found = list.principal(token: String(header.dropFirst(Self.scheme.count)))
    else { throw Problem(401, "TOKEN_REFUSED", "the token is nobody's", remedy: "log in again") }
    if let until = found.untilMilliseconds, until <= clock.nowMilliseconds {
      throw Problem(
        401, "TOKEN_EXPIRED", "the token of `\(found.name)` ended at \(RFC3339.text(milliseconds: until))",
        remedy: "`headrace access token NAME` makes another one")
    }
    return found
  }

  /// A page whose name was made to point at this server sends its own name.
  private func checkHost(_ visitor: Visitor, _ list: AccessList?) throws(Problem) {
    let host = visitor.authority.map { HostName($0) }
    if let host, host.isAddress || host.isLoopback || host.name == listening.name { return }
    if let host, let list, list.hosts.contains(host.name) { return }
    throw Problem(
      403, "HOST_UNKNOWN", "nothing is decided under the name \(host?.name ?? "that is missing")",
      remedy: "use the server's address, or put its name into `hosts` of the access file")
  }

  private func checkLocal(_ visitor: Visitor) throws(Problem) {
    guard !listening.isLoopback || visitor.isForwarded else { return }
    throw Problem(
      403, "LOOPBACK_ONLY",
      visitor.isForwarded
        ? "the request came through a proxy, and without an access file only this machine decides"
        : "the server listens for other machines, and without an access file only a loopback server decides",
      remedy: "start it with --access FILE, or use the command line")
  }
}

extension Problem {
  /// - Returns: what `body` throws.
  fileprivate static func refusal(_ body: () throws(Problem) -> Void) -> Problem? {
    do throws(Problem) {
      try body()
      return nil
    } catch {
      return error
    }
  }
}
