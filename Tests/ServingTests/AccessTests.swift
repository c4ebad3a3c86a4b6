import Core
import Registry
import Testing

@testable import Serving

@Suite struct AccessTests {
  private static let now: Int64 = 1_793_500_300_000
  private static let tokens = ["ada": AccessToken.make(), "bob": AccessToken.make(), "old": AccessToken.make()]

  private static func file(_ more: String = "") -> String {
    let line = { (name: String, rest: String) in
      "  - {name: \(name), token_sha256: \"\(AccessToken.hash(tokens[name] ?? ""))\", \(rest)}\n"
    }
    return "\(more)principals:\n" + line("ada", "roles: [operator]") + line("bob", "roles: [approver, viewer]")
      + line("old", "roles: [operator], until: 2020-01-01")
  }

  private static func list(_ more: String = "") throws -> AccessList {
    try AccessList(yaml: file(more), file: "access.yaml")
  }

  private static func gate(_ list: AccessList?, host: String = "127.0.0.1") -> AccessGate {
    AccessGate({ list }, host: host, clock: WallClock { now })
  }

  private static func request(
    _ token: String? = nil, host: String? = "127.0.0.1:6566", isForwarded: Bool = false
  ) -> AccessGate.Visitor {
    .init(authority: host, authorization: token.map { "Bearer \($0)" }, isForwarded: isForwarded)
  }

  private static func code(_ body: () throws(Problem) -> Void) -> String? {
    do throws(Problem) {
      try body()
      return nil
    } catch {
      return "\(error.status) \(error.code)"
    }
  }

  // MARK: The file

  @Test func `a token is found by its hash, and nothing near it`() throws {
    let list = try Self.list()
    let token = try #require(Self.tokens["ada"])
    #expect(list.principal(token: token)?.name == "ada")
    for wrong in ["", "hr_", String(token.dropLast()), token + "0", token.uppercased(), AccessToken.hash(token)] {
      #expect(list.principal(token: wrong) == nil, "\(wrong.count) bytes")
    }
  }

  @Test func `tokens are 256 bits, and never the same`() {
    let made = Set((0..<1_000).map { _ in AccessToken.make() })
    #expect(made.count == 1_000 && made.allSatisfy { $0.count == 3 + 64 && $0.hasPrefix("hr_") })
  }

  @Test(arguments: [
    ("principals: 7", "a list"), ("readng: open", "did you mean `reading`?"), ("reading: closed", "open, token"),
    ("hosts: [\"http://a\"]", "without a port"), ("principals: [{name: ada}]", "token_sha256"),
    ("principals: [{name: ada, token_sha256: abc, roles: [viewer]}]", "SHA-256"),
    ("principals: [{name: ada, token_sha256: \(String(repeating: "a", count: 64))}]", "roles"),
    ("principals: [{name: ada, token_sha256: \(String(repeating: "a", count: 64)), roles: [king]}]", "approver"),
    ("principals: [{name: ada, token: x}]", "`token`"), ("[1, 2]", "principals"),
  ])
  func `what is wrong with the file is said`(text: String, part: String) {
    let error = #expect(throws: HeadraceError.self) { try AccessList(yaml: text, file: "access.yaml") }
    #expect(error?.code == "ACCESS_INVALID" && error?.description.contains(part) == true, "\(error as Any)")
    #expect(error?.place?.hasPrefix("access.yaml") == true)
  }

  @Test func `one token for two names is refused: one person could ask and approve`() throws {
    let hash = AccessToken.hash("x")
    for names in [("ada", "ada", hash, AccessToken.hash("y")), ("ada", "bob", hash, hash)] {
      let text = """
        principals:
          - {name: \(names.0), token_sha256: "\(names.2)", roles: [operator]}
          - {name: \(names.1), token_sha256: "\(names.3)", roles: [approver]}
        """
      let error = #expect(throws: HeadraceError.self) { try AccessList(yaml: text, file: "a") }
      #expect(error?.message.contains("comes twice") == true)
    }
  }

  @Test func `a hash of digits alone is a hash`() throws {
    let digits = String(repeating: "1", count: 64)
    let list = try AccessList(
      yaml: "principals: [{name: ada, token_sha256: \(digits), roles: [viewer]}]", file: "access.yaml")
    #expect(list.principals.count == 1)
  }

  // MARK: Who may decide

  @Test func `with a file the role decides, and the principal is who did it`() throws {
    let gate = Self.gate(try Self.list())
    let (ada, bob, old) = (Self.tokens["ada"], Self.tokens["bob"], Self.tokens["old"])
    #expect(try gate.decider(.operator, Self.request(ada)) == .principal("ada"))
    #expect(try gate.decider(.approver, Self.request(bob)) == .principal("bob"))
    for (expected, role, request) in [
      ("403 ROLE_MISSING", AccessList.Role.approver, Self.request(ada)),
      ("403 ROLE_MISSING", .operator, Self.request(bob)), ("401 LOGIN_NEEDED", .operator, Self.request()),
      ("401 TOKEN_REFUSED", .operator, Self.request("hr_wrong")), ("401 TOKEN_EXPIRED", .operator, Self.request(old)),
      ("403 HOST_UNKNOWN", .operator, Self.request(ada, host: "evil.example:6566")),
      ("403 HOST_UNKNOWN", .operator, Self.request(ada, host: nil)),
    ] {
      #expect(Self.code { () throws(Problem) in _ = try gate.decider(role, request) } == expected)
    }
  }

  @Test func `no message has the token in it`() throws {
    let gate = Self.gate(try Self.list())
    do throws(Problem) {
      _ = try gate.decider(.operator, Self.request("hr_secret"))
    } catch {
      #expect(!"\(error)".contains("hr_secret"))
    }
  }

  @Test func `without a file only this machine decides`() {
    let local = Self.gate(nil)
    #expect(throws: Never.self) { try local.decider(.approver, Self.request()) }
    #expect(throws: Never.self) { try local.decider(.approver, Self.request(host: "localhost:6566")) }
    for (expected, gate, request) in [
      ("403 LOOPBACK_ONLY", Self.gate(nil, host: "0.0.0.0"), Self.request(host: "10.0.0.7:6566")),
      ("403 LOOPBACK_ONLY", Self.gate(nil, host: "headrace.internal"), Self.request(host: "headrace.internal")),
      ("403 LOOPBACK_ONLY", local, Self.request(isForwarded: true)),
      ("403 HOST_UNKNOWN", local, Self.request(host: "rebound.example:6566")),
    ] {
      #expect(Self.code { () throws(Problem) in _ = try gate.decider(.approver, request) } == expected)
    }
  }

  @Test func `whoever looks logs in where the file says so`() throws {
    let open = Self.gate(try Self.list())
    #expect(open.isReadingOpen)
    #expect(throws: Never.self) { try open.checkReader(Self.request()) }
    let closed = Self.gate(try Self.list("reading: token\n"))
    #expect(!closed.isReadingOpen)
    #expect(Self.code { () throws(Problem) in try closed.checkReader(Self.request()) } == "401 LOGIN_NEEDED")
    #expect(throws: Never.self) { try closed.checkReader(Self.request(Self.tokens["bob"])) }
  }

  @Test func `hosts of the file are known`() throws {
    let gate = Self.gate(try Self.list("hosts: [Headrace.Example]\n"), host: "0.0.0.0")
    #expect(
      try gate.decider(.operator, Self.request(Self.tokens["ada"], host: "headrace.example")) == .principal("ada"))
  }

  @Test(arguments: [
    ("127.0.0.1:1", "127.0.0.1", true, true), ("127.1.2.3", "127.1.2.3", true, true), ("[::1]:80", "::1", true, true),
    ("LOCALHOST:80", "localhost", false, true), ("10.0.0.1", "10.0.0.1", true, false), ("::1", "::1", true, true),
    ("127.0.0.1.evil.example", "127.0.0.1.evil.example", false, false), ("1.2.3", "1.2.3", false, false),
    ("999.1.1.1", "999.1.1.1", false, false), ("[evil]:80", "evil", false, false), ("", "", false, false),
  ])
  func `an address is told from a name`(text: String, name: String, isAddress: Bool, isLoopback: Bool) {
    let host = HostName(text)
    #expect(host.name == name && host.isAddress == isAddress && host.isLoopback == isLoopback, "\(host)")
  }

  // MARK: Decisions

  @Test func `the body names nobody else`() throws {
    let bytes = { (text: String) in Array(text.utf8) }
    let caller = AccessGate.Caller.principal("ada")
    #expect(try Decision(bytes("{}"), caller: caller, needsReason: false).actor == "ada")
    #expect(try Decision(bytes(#"{"by":"ada","reason":"r"}"#), caller: caller, needsReason: true).reason == "r")
    for (text, caller, expected) in [
      (#"{"by":"bob"}"#, caller, "403 ACTOR_DIFFERS"), ("[]", caller, "422 INVALID_BODY"),
      (#"{"reason":"r"}"#, .local, "422 INVALID_BODY"), (#"{"by":"","reason":"r"}"#, .local, "422 INVALID_BODY"),
    ] {
      #expect(
        Self.code { () throws(Problem) in _ = try Decision(bytes(text), caller: caller, needsReason: false) }
          == expected, "\(text)")
    }
    #expect(
      Self.code { () throws(Problem) in _ = try Decision(bytes("{}"), caller: caller, needsReason: true) }
        == "422 INVALID_BODY")
  }

  @Test func `queries are decoded as forms are`() {
    let items = QueryItems("/a?key=JFK%2CLAX&key=a+b&x=%zz&empty&key=%C3%A9")
    #expect(items["key"] == ["JFK,LAX", "a b", "é"] && items["x"] == ["%zz"] && items["empty"] == [""])
    #expect(QueryItems("/a")["key"] == [] && QueryItems("/a?")["key"] == [])
  }
}
