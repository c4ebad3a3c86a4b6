import Core
import Registry
import Synchronization
import Testing

@testable import Serving

/// A registry in memory.
final class FakeRegistry: RegistrySource {
  private let state = Mutex((registry: RegistryState(), commands: [RegistryCommand]()))

  init(_ changes: [RegistryCommand.Change]) {
    state.withLock { state in
      for (offset, change) in changes.enumerated() {
        _ = state.registry.apply(
          RegistryCommand(actor: "ada", change: change), offset: Int64(offset), timeMilliseconds: 1_000)
      }
    }
  }

  func registry() -> RegistryState { state.withLock { $0.registry } }

  func send(_ command: RegistryCommand) -> RegistryOutcome {
    state.withLock { state in
      state.commands.append(command)
      return state.registry.apply(
        command, offset: Int64(100 + state.commands.count), timeMilliseconds: 1_793_500_300_000)
    }
  }

  var commands: [RegistryCommand] { state.withLock { $0.commands } }
}

@Suite struct ConsoleTests {
  @Test func `the page and its files are served, with nothing from elsewhere`() async throws {
    try await withServer { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      let page = try await socket.get("/")
      #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.headers["content-security-policy"]?.hasPrefix("default-src 'self'; ") == true)
      #expect(page.headers["x-content-type-options"] == "nosniff")
      #expect(ConsoleFiles.paths.count == 15)
      for path in ConsoleFiles.paths {
        let file = try await socket.get(path)
        #expect(file.status == 200 && !file.body.isEmpty, "\(path)")
        #expect(file.headers["etag"]?.count == 34 && file.headers["cache-control"] == "no-cache")
        for strange in ["http://", "https://", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("] {
          let isNamespace = strange == "http://" && file.body.contains("http://www.w3.org/2000/svg")
          #expect(!file.body.contains(strange) || isNamespace, "\(strange) in \(path)")
        }
      }
      #expect(try await socket.get("/console/nothing.js").status == 404)
      #expect(try await socket.get("/?x=1").status == 200)
    }
  }

  @Test func `who has a file gets none, and nobody writes one`() async throws {
    try await withServer { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      let tag = try #require(try await socket.get("/console/main.js").headers["etag"])
      try await socket.send("GET /console/main.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \(tag)\r\n\r\n")
      let known = try await socket.read()
      #expect(known.status == 304 && known.body.isEmpty)
      let posted = try await socket.post("/", "{}")
      #expect(posted.status == 405 && posted.headers["allow"] == "GET")
    }
  }

  @Test func `decisions need a type that a foreign page cannot send, and a page of their own`() async throws {
    let registry = FakeRegistry(Self.versions)
    try await withServer(registry: registry) { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      let path = "/api/models/fraud/aliases/champion/promote"
      let body = #"{"version":1,"by":"bob","reason":"first"}"#
      try await socket.send(
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n"
          + body)
      #expect(try await socket.read().status == 415)
      let foreign = try await HTTPSocket(port: server.port).post(path, body, headers: "Origin: http://evil.example\r\n")
      #expect(foreign.status == 403 && foreign.body.contains("CROSS_ORIGIN"))
      #expect(registry.commands.isEmpty)
      let own = try await HTTPSocket(port: server.port).post(path, body, headers: "Origin: http://localhost\r\n")
      #expect(own.status == 200 && own.body.contains(#""version":1"#), "\(own.body)")
      #expect(
        registry.commands.map(\.actor) == ["bob"] && registry.registry()["fraud"]?.aliases["champion"]?.version == 1)
    }
  }

  @Test func `promotions and rollbacks say what they expect`() async throws {
    let registry = FakeRegistry(Self.versions)
    try await withServer(registry: registry) { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      let alias = "/api/models/fraud/aliases/champion"
      let none = try await socket.post("\(alias)/rollback", #"{"by":"bob","reason":"r"}"#)
      #expect(none.status == 422 || none.status == 404, "\(none.body)")
      for (version, expected, status) in [(1, 0, 200), (2, 0, 409), (2, 1, 200), (9, 2, 404)] {
        let answer = try await socket.post(
          "\(alias)/promote", #"{"version":\#(version),"expected":\#(expected),"by":"bob","reason":"r"}"#)
        #expect(answer.status == status, "\(answer.body)")
      }
      #expect(try await socket.post("\(alias)/promote", #"{"version":1,"by":"bob"}"#).status == 422)
      let back = try await socket.post("\(alias)/rollback", #"{"expected":2,"by":"bob","reason":"worse"}"#)
      #expect(back.status == 200 && back.body.contains(#""version":1"#) && back.body.contains(#""before":2"#))
      #expect(
        try await socket.post("/api/models/none/aliases/champion/rollback", #"{"by":"b","reason":"r"}"#).status == 404)
      #expect(try await socket.get("\(alias)/promote").status == 405)
    }
  }

  @Test func `whoever may not look is told how to log in, and probes are answered`() async throws {
    let token = AccessToken.make()
    let list = try AccessList(
      yaml: "reading: token\nprincipals: [{name: eve, token_sha256: \"\(AccessToken.hash(token))\", roles: [viewer]}]",
      file: "access.yaml")
    try await withServer({ $0.access = { list } }) { server, _ in
      for path in ["/", "/livez", "/readyz", "/health", "/openapi.json", "/api/session", "/v2/health/live"] {
        #expect(try await HTTPSocket(port: server.port).get(path).status == 200, "\(path)")
      }
      for path in ["/api/tasks", "/metrics", "/api/registry/models", "/v2", "/api/cost/report", "/usefulness"] {
        let refused = try await HTTPSocket(port: server.port).get(path)
        #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer realm=\"headrace\"", "\(path)")
      }
      let read = #"{"features":["user_stats:f0"],"entities":{"user_id":[7]}}"#
      #expect(try await HTTPSocket(port: server.port).post("/get-online-features", read).status == 401)
      let login = "Authorization: Bearer \(token)\r\n"
      #expect(try await HTTPSocket(port: server.port).post("/get-online-features", read, headers: login).status == 200)
      let push = try await HTTPSocket(port: server.port).post("/push", "{}", headers: login)
      #expect(push.status == 403)
    }
  }

  private static let versions: [RegistryCommand.Change] = (1...2).map { number in
    .addVersion(
      ModelVersion(
        model: "fraud", number: number, contentHash: String(repeating: "\(number)", count: 64), format: "lightgbm",
        summary: "", featureCount: 1, featureNames: ["a"], outputCount: 1, addedAtMilliseconds: 5, addedBy: "ada"))
  }
}
