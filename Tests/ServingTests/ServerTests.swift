import Columns
import Features
import Foundation
import Logging
import Synchronization
import Testing

@testable import Serving

/// Over real sockets.
@Suite(.serialized) struct ServerTests {
  private static let read = #"{"features":["user_stats:f0"],"entities":{"user_id":[7]}}"#

  @Test func `requests follow one another on a connection`() async throws {
    try await withServer { server, engine in
      engine.put(view: 0, [.integer(7)], Array(repeating: .present(.double(1)), count: 5))
      let socket = try await HTTPSocket(port: server.port)
      for _ in 0..<3 {
        let answer = try await socket.post("/get-online-features", Self.read)
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.body.contains(#"{"values":[1.0],"statuses":["PRESENT"]"#))
      }
      let health = try await socket.get("/health")
      #expect(health.status == 200 && health.body.isEmpty)
      // As many answers as requests, whatever the client sent at once.
      let pipelined = "POST /get-online-features HTTP/1.1\r\nHost: x\r\nContent-Length: \(Self.read.utf8.count)\r\n\r\n"
      try await socket.send(pipelined + Self.read + "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let text = try await socket.readToEnd()
      #expect(text.components(separatedBy: "HTTP/1.1 200").count == 3 && text.hasSuffix(#"{"live":true}"#))
    }
  }

  @Test func `large reads leave the event loop and give the same`() async throws {
    try await withServer { server, engine in
      for user in 0..<200 {
        engine.put(view: 0, [.integer(Int64(user))], Array(repeating: .present(.integer(1)), count: 5))
      }
      let ids = (0..<200).map(String.init).joined(separator: ",")
      let socket = try await HTTPSocket(port: server.port)
      let answer = try await socket.post(
        "/get-online-features", #"{"features":["user_stats:f0"],"entities":{"user_id":[\#(ids)]}}"#)
      #expect(answer.status == 200)
      #expect(answer.body.components(separatedBy: "\"2026-11-01T02:30:00Z\"").count == 201)
    }
  }

  @Test func `addresses and methods that there are not`() async throws {
    try await withServer { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      let missing = try await socket.get("/nope?x=1")
      #expect(missing.status == 404 && missing.headers["content-type"] == "application/problem+json")
      #expect(missing.body.contains(#""code":"NO_SUCH_ADDRESS""#))
      let wrong = try await socket.get("/push")
      #expect(wrong.status == 405 && wrong.headers["allow"] == "POST")
      try await socket.send("HEAD /api/views HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let head = try await socket.readToEnd()
      #expect(head.hasPrefix("HTTP/1.1 200") && head.hasSuffix("\r\n\r\n"))
    }
  }

  @Test func `a body that is too large is refused, however it comes`() async throws {
    try await withServer({ $0.limits.bodyBytes = 1_000 }) { server, _ in
      let announced = try await HTTPSocket(port: server.port)
      let padding = String(repeating: " ", count: 1_001)
      #expect(try await announced.post("/get-online-features", padding).status == 413)
      let chunked = try await HTTPSocket(port: server.port)
      try await chunked.send(
        "POST /get-online-features HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "3e9\r\n\(padding)\r\n0\r\n\r\n"
      )
      #expect(try await chunked.read().status == 413)
      let packed = try await HTTPSocket(port: server.port)
      #expect(try await packed.post("/get-online-features", "x", headers: "Content-Encoding: gzip\r\n").status == 415)
    }
  }

  @Test func `headers that are too large end the connection`() async throws {
    try await withServer({ $0.limits.headerBytes = 2_000 }) { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      try await socket.send("GET /livez HTTP/1.1\r\nX: \(String(repeating: "a", count: 3_000))\r\n\r\n")
      #expect(try await socket.readToEnd().hasPrefix("HTTP/1.1 400"))
    }
  }

  @Test func `whoever sends too slowly is cut off`() async throws {
    try await withServer({
      $0.pace.headMilliseconds = 50
      $0.pace.bodyMilliseconds = 50
      $0.pace.idleMilliseconds = 50
    }) { server, _ in
      for beginning in ["", "GET /livez HT", "POST /push HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"] {
        let socket = try await HTTPSocket(port: server.port)
        try await socket.send(beginning)
        #expect(try await socket.readToEnd() == "", "\(beginning)")
      }
      #expect(server.admission.slowConnections == 3)
    }
  }

  @Test func `connections past the limit are told so`() async throws {
    try await withServer({ $0.admission.connections = 1 }) { server, _ in
      let first = try await HTTPSocket(port: server.port)
      #expect(try await first.get("/livez").status == 200)
      let second = try await HTTPSocket(port: server.port)
      #expect(try await second.readToEnd().hasPrefix("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"))
      #expect(try await first.get("/livez").status == 200)
      #expect(server.admission.refusedConnections == 1)
    }
  }

  @Test func `past the limit of requests the rest is refused at once, but not who asks how things are`() async throws {
    try await withServer({ $0.admission.requests = 0 }) { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      let refused = try await socket.post("/get-online-features", Self.read)
      #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
      #expect(try await socket.get("/livez").status == 200)
      #expect(
        try await socket.get("/metrics").body.contains("headrace_http_requests_total{path=\"/get-online-features\""))
    }
  }

  @Test func `whoever waited too long for its turn is refused, but not who asks how things are`() async throws {
    // Less than no time: every request has waited for longer.
    try await withServer({ $0.admission.queueMilliseconds = -1 }) { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      let push = #"{"push_source_name":"events","df":{"user_id":[7],"ts":[5],"amount":[1]},"to":"online"}"#
      for (path, body) in [("/get-online-features", Self.read), ("/push", push)] {
        let refused = try await socket.post(path, body)
        #expect(refused.status == 503 && refused.headers["retry-after"] == "1", "\(path)")
        #expect(refused.body.contains(" ms for its turn (ask again later)"), "\(refused.body)")
      }
      let work = engine.state.withLock { $0.readTimes.count + $0.published.count }
      #expect(work == 0)
      #expect(try await socket.get("/livez").status == 200)
    }
  }

  @Test func `a read that takes longer than it may is given up, on the event loop and beside it`() async throws {
    // Over when it begins.
    try await withServer({ $0.admission.deadlineMilliseconds = -1 }) { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      for count in [server.configuration.admission.rowsOnEventLoop, 1_000] {
        let ids = (0..<count).map(String.init).joined(separator: ",")
        let body = #"{"features":["user_stats:f0"],"entities":{"user_id":[\#(ids)]}}"#
        let late = try await socket.post("/get-online-features", body)
        #expect(late.status == 504, "\(count) rows")
        #expect(late.headers["retry-after"] == nil)
        #expect(late.body.contains("took longer than it may (ask for fewer entities at once)"), "\(late.body)")
      }
      // It looked now and then, and left the rest alone.
      #expect(engine.state.withLock { $0.readTimes.count } < 500)
      #expect(try await socket.get("/livez").status == 200)
    }
  }

  @Test func `a read waits for an offset, and for no longer than it may`() async throws {
    try await withServer({ $0.admission.waitingRequests = 1 }) { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      let body = #"{"features":["user_stats:f0"],"entities":{"user_id":[7]},"min_offset":["users:0:5","users:1:9"]}"#
      #expect(try await socket.post("/get-online-features", body).status == 200)
      #expect(
        engine.state.withLock { $0.waits } == [
          [.init(topic: "users", partition: 0, offset: 5), .init(topic: "users", partition: 1, offset: 9)]
        ])
      engine.set { $0.waitError = .waitTimedOut }
      let late = try await socket.post("/get-online-features", body)
      #expect(late.status == 503 && late.headers["retry-after"] == "1")
      engine.set { $0.waitError = .unknownOffset(.init(topic: "other", partition: 0, offset: 1)) }
      #expect(try await socket.post("/get-online-features", body).status == 422)
      try server.admission.beginWaiting()
      #expect(try await socket.post("/get-online-features", body).status == 429)
      server.admission.endWaiting()
      #expect(server.admission.waitingRequests == 0)
    }
  }

  @Test func `a request under way is answered before the server stops`() async throws {
    let (entered, enter) = AsyncStream<Void>.makeStream()
    let released = Mutex(false)
    try await withServer { server, engine in
      engine.set {
        $0.duringRead = {
          enter.yield()
          // On an event loop's thread: what a read of a slow disk looks like.
          while !released.withLock({ $0 }) { sched_yield() }
        }
      }
      let socket = try await HTTPSocket(port: server.port)
      async let answer = socket.post("/get-online-features", Self.read)
      for await _ in entered { break }
      async let stopped: Void = server.stop()
      released.withLock { $0 = true }
      #expect(try await answer.status == 200)
      await stopped
      await #expect(throws: HTTPSocket.Closed.self) { _ = try await HTTPSocket(port: server.port) }
    }
  }

  @Test func `an address that is taken is an error that says so`() async throws {
    try await withServer { server, engine in
      var configuration = ServingConfiguration()
      configuration.port = server.port
      let second = FeatureServer(
        catalog: TestCatalog.catalog, features: engine, events: nil, status: engine, configuration: configuration,
        logger: .init(label: "test"))
      await #expect { try await second.start() } throws: { "\($0)".contains("CANNOT_LISTEN") }
    }
  }
}
