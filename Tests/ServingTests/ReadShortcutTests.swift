import Columns
import Features
import Testing

@testable import Serving

/// Reads that are answered where they come in must not differ from those that go the long way.
@Suite(.serialized) struct ReadShortcutTests {
  private static let read = #"{"features":["user_stats:f0","user_stats:city"],"entities":{"user_id":[7]}}"#

  private static func request(_ body: String, path: String = "/get-online-features", headers: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private static func fill(_ engine: FakeEngine) {
    engine.put(
      view: 0, [.integer(7)],
      [.present(.double(1.5)), .present(.double(2)), .present(.integer(3)), .present(.string("Łódź")), .present(.null)])
  }

  @Test func `both ways give the same bytes`() async throws {
    try await withServer { server, engine in
      Self.fill(engine)
      engine.set { $0.watermark = 1_699_999_999_000 }
      let bodies = [
        Self.read, #"{"features":["user_stats:*"],"entities":{"user_id":[7,8,null]},"as_of":"latest"}"#,
        #"{"feature_service":"user_svc","entities":{"user_id":[7],"amount":[3]},"full_feature_names":true}"#,
        // What is refused is refused alike.
        #"{"features":["nope:f0"],"entities":{"user_id":[7]}}"#, "{", #"{"features":["user_stats:f0"],"entities":{}}"#,
      ]
      for body in bodies {
        let short = try await HTTPSocket(port: server.port)
        let long = try await HTTPSocket(port: server.port)
        try await short.send(Self.request(body))
        // An address with a query is the same address, and no candidate.
        try await long.send(Self.request(body, path: "/get-online-features?"))
        #expect(try await short.readRaw() == long.readRaw(), "\(body)")
      }
      let ways = server.counters.of(.getOnlineFeatures)
      #expect(ways.count(.ok) == 6 && ways.count(.clientError) == 6)
    }
  }

  @Test func `answers keep the order of requests`() async throws {
    try await withServer { server, engine in
      Self.fill(engine)
      let socket = try await HTTPSocket(port: server.port)
      let push = #"{"push_source_name":"events","df":{"user_id":[7],"ts":[1793500300000]},"to":"online"}"#
      let waiting = #"{"features":["user_stats:f0"],"entities":{"user_id":[7]},"min_offset":"users:0:5"}"#
      for _ in 0..<20 {
        try await socket.send(
          Self.request(push, path: "/push") + Self.request(Self.read) + Self.request(waiting) + Self.request(Self.read))
        let answers = try await socket.readRaw(4)
        #expect(answers[0].hasSuffix("\r\n\r\n"))
        #expect(answers[1].contains(#""feature_names":["user_id","f0","city"]"#))
        #expect(answers[2].contains(#""feature_names":["user_id","f0"]"#) && answers[2].contains(#""headrace""#))
        #expect(answers[3] == answers[1])
      }
    }
  }

  @Test func `a body may come in pieces, in chunks, or not at all`() async throws {
    try await withServer { server, engine in
      Self.fill(engine)
      let socket = try await HTTPSocket(port: server.port)
      let whole = Self.request(Self.read)
      try await socket.send(whole)
      let expected = try await socket.readRaw()
      for cut in [1, 40, whole.utf8.count - Self.read.utf8.count, whole.utf8.count - 1] {
        try await socket.send(Array(whole.utf8.prefix(cut)))
        try await socket.send(Array(whole.utf8.dropFirst(cut)))
        #expect(try await socket.readRaw() == expected, "cut at \(cut)")
      }
      let (first, second) = (Self.read.prefix(10), Self.read.dropFirst(10))
      try await socket.send(
        "POST /get-online-features HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "a\r\n\(first)\r\n\(String(second.utf8.count, radix: 16))\r\n\(second)\r\n0\r\n\r\n")
      #expect(try await socket.readRaw() == expected)
      try await socket.send("POST /get-online-features HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
      #expect(try await socket.read().status == 422)
      try await socket.send(Self.request(Self.read, headers: "Expect: 100-continue\r\n"))
      #expect(try await socket.readRaw(2)[0].hasPrefix("HTTP/1.1 100 Continue\r\n"))
      try await socket.send(Self.request(Self.read, headers: "Connection: close\r\n"))
      #expect(try await socket.readToEnd().hasPrefix("HTTP/1.1 200 OK\r\n"))
    }
  }

  @Test func `a peer that sends without reading gets every answer in the end`() async throws {
    // On a slow machine some of so many would wait too long for their turn, and be refused.
    try await withServer({ $0.admission.queueMilliseconds = 60_000 }) { server, engine in
      Self.fill(engine)
      let socket = try await HTTPSocket(port: server.port)
      let count = 20_000
      async let sent: Void = socket.sendAside(String(repeating: Self.request(Self.read), count: count))
      // What the peer takes only now fits neither into the sockets nor into what a connection may have waiting.
      let answers = try await socket.readRaw(count)
      try await sent
      let kinds = Set(answers)
      #expect(kinds.count == 1, "\(kinds.count) kinds, such as \(kinds.min() ?? "") and \(kinds.max() ?? "")")
      #expect(server.admission.requests == 0)
    }
  }

  @Test func `a read that has begun is answered when the server stops`() async throws {
    try await withServer { server, engine in
      Self.fill(engine)
      let socket = try await HTTPSocket(port: server.port)
      let whole = Self.request(Self.read)
      try await socket.send(Array(whole.utf8.dropLast(5)))
      while server.admission.requests == 0 { await Task.yield() }
      async let stopped: Void = server.stop()
      try await socket.send(Array(whole.utf8.suffix(5)))
      #expect(try await socket.readToEnd().hasPrefix("HTTP/1.1 200 OK\r\n"))
      await stopped
    }
  }
}
