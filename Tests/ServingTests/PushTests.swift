import Core
import Synchronization
import Testing

@testable import Serving

@Suite(.serialized) struct PushTests {
  @Test func `a push is acknowledged with nothing but where it went`() async throws {
    try await withServer { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      let answer = try await socket.post(
        "/push",
        #"{"push_source_name":"events","df":{"user_id":[7,8],"event_timestamp":["2026-11-20T12:34:56.789Z","#
          + #""2026-11-20T12:34:57"],"amount":[0.5,null],"created":[null,null]},"to":"online"}"#)
      #expect(answer.status == 200 && answer.body.isEmpty && answer.headers["content-type"] == nil)
      #expect(answer.headers["headrace-offsets"] == "users:0:1")
      let records = engine.state.withLock { $0.published }
      #expect(
        records.map { String(decoding: $0.value, as: UTF8.self) } == [
          #"{"user_id":7,"amount":0.5,"ts":1795178096789}"#, #"{"user_id":8,"amount":null,"ts":1795178097000}"#,
        ])
      #expect(records.map(\.key) == [Array("7".utf8), Array("8".utf8)])
      #expect(records.allSatisfy { $0.timestampMilliseconds == 1_793_500_300_000 })
    }
  }

  @Test(arguments: ["user_stats", "events"])
  func `Feast's client writes to a view, and is answered null`(name: String) async throws {
    try await withServer { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      let answer = try await socket.post(
        "/write-to-online-store",
        #"{"feature_view_name":"\#(name)","df":{"user_id":[8],"amount":[34.5584],"ts":[5],"#
          + #""event_timestamp":["2026-11-21T02:00:00"],"created":[null]},"allow_registry_cache":false}"#)
      #expect(answer.status == 200 && answer.body == "null")
      let value = engine.state.withLock { $0.published.map { String(decoding: $0.value, as: UTF8.self) } }
      #expect(value == [#"{"user_id":8,"amount":34.5584,"ts":5}"#])
    }
  }

  @Test(arguments: [
    (#"{"push_source_name":"nope","df":{"user_id":[7]}}"#, 422, "PushSourceNotFoundException"),
    (#"{"push_source_name":"binary","df":{"user_id":[7]}}"#, 422, "its format is not JSON"),
    (#"{"push_source_name":"events","df":{"user_id":[7]},"to":"bogus"}"#, 422, "bogus is not a supported push format"),
    (
      #"{"push_source_name":"events","df":{"user_id":[7],"amount":[1,2]}}"#, 422,
      "All arrays must be of the same length"
    ),
    (#"{"push_source_name":"events"}"#, 422, #""loc":["body","df"]"#),
    (#"{"push_source_name":"events","df":{"user_id":7}}"#, 422, #""loc":["body","df","user_id"]"#),
    (
      #"{"push_source_name":"events","df":{"user_id":[1,7],"amount":[1,"bad"]}}"#, 422,
      #"{"type":"wrong_type","loc":["body","df","amount",1],"msg":"found a string, expected a double""#
    ),
    (
      #"{"push_source_name":"events","df":{"user_id":[1],"event_timestamp":["soon"]}}"#, 422,
      #"\\\"soon\\\" is no time"#
    ),
  ])
  func `what cannot be pushed is refused as a whole, with the field`(
    body: String, status: Int, text: String
  ) async throws {
    try await withServer { server, engine in
      let answer = try await HTTPSocket(port: server.port).post("/push", body)
      #expect(answer.status == status)
      #expect(answer.body.contains(text), "\(answer.body)")
      #expect(engine.state.withLock { $0.published.isEmpty })
    }
  }

  @Test func `a page of somebody else may not push, and a read-only server takes nothing`() async throws {
    let body = #"{"push_source_name":"events","df":{"user_id":[7]}}"#
    try await withServer { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      #expect(try await socket.post("/push", body, headers: "Origin: http://evil.example\r\n").status == 403)
      #expect(try await socket.post("/push", body, headers: "Origin: http://localhost\r\n").status == 200)
    }
    try await withServer(isReadOnly: true) { server, _ in
      let socket = try await HTTPSocket(port: server.port)
      #expect(try await socket.post("/push", body).status == 403)
    }
  }

  @Test func `a broker that does not answer is nobody's fault`() async throws {
    try await withServer { server, engine in
      engine.set { $0.publishError = HeadraceError(.external, "BROKER_DOWN", "no broker answers", retry: .sameCall) }
      let socket = try await HTTPSocket(port: server.port)
      let answer = try await socket.post("/push", #"{"push_source_name":"events","df":{"user_id":[7]}}"#)
      #expect(answer.status == 503 && answer.headers["retry-after"] == "1" && answer.body.contains("no broker answers"))
    }
  }
}
