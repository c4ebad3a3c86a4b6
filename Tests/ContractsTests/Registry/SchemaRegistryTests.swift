import Columns
import Contracts
import Core
import HTTPClient
import Testing

@Suite(.serialized) struct SchemaRegistryTests {
  static let schema = #"{\"type\":\"record\",\"name\":\"w\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"#

  /// Runs a test with a registry and a client for it.
  private static func with(
    password: String = "pass", limits: HTTPClientConfiguration = HTTPClientConfiguration(),
    _ body: (FakeRegistry, SchemaRegistryClient) async throws -> Void
  ) async throws {
    let registry = try FakeRegistry()
    registry.start()
    let http = WebClient(limits)
    let configuration = SchemaRegistryConfiguration(
      url: registry.url + "/", credentials: HTTPCredentials(username: "user", password: password))
    do {
      try await body(registry, SchemaRegistryClient(configuration, http: http))
    } catch {
      registry.stop()
      await http.close()
      throw error
    }
    registry.stop()
    await http.close()
  }

  @Test func `a record waits for its writer's schema, then is read`() async throws {
    try await Self.with { registry, client in
      registry.answer("/schemas/ids/7", .init(body: #"{"schema":"\#(Self.schema)"}"#))
      let contract = try contract(#"{"name":"x","type":"long"}"#)
      let payloads: [[UInt8]] = [[0, 0, 0, 0, 7, 14], [0, 0, 0, 0, 8, 14]]
      let before = try decode(payloads, contract, .avroConfluent, schemas: client)
      #expect(before.faults.map(\.code) == [.schemaUnavailable, .schemaUnavailable])
      #expect(client.hasWanted)
      try await client.fetchWanted()
      #expect(!client.hasWanted)
      let after = try decode(payloads, contract, .avroConfluent, schemas: client)
      #expect(after.rows == [[.integer(7)], [.null]])
      #expect(after.faults.map(\.code) == [.unknownSchema])
      #expect(registry.requests == ["GET /schemas/ids/7", "GET /schemas/ids/8"])
    }
  }

  @Test func `references are fetched first, each once`() async throws {
    try await Self.with { registry, client in
      let address = #"{\"type\":\"record\",\"name\":\"a.Address\",\"fields\":[{\"name\":\"zip\",\"type\":\"a.Zip\"}]}"#
      let zip = #"{\"type\":\"fixed\",\"name\":\"a.Zip\",\"size\":2}"#
      let user = #"{\"type\":\"record\",\"name\":\"User\",\"fields\":[{\"name\":\"at\",\"type\":\"a.Address\"}]}"#
      let zipReference = #"{"name":"a.Zip","subject":"zip/1","version":3}"#
      registry.answer(
        "/schemas/ids/1",
        .init(
          body:
            #"{"schema":"\#(user)","references":[\#(zipReference),"#
            + #"{"name":"a.Address","subject":"address","version":1}]}"#
        ))
      registry.answer(
        "/subjects/address/versions/1", .init(body: #"{"schema":"\#(address)","references":[\#(zipReference)]}"#))
      registry.answer("/subjects/zip%2F1/versions/3", .init(body: #"{"schema":"\#(zip)"}"#))
      let schema = try #require(try await client.fetch(id: 1))
      #expect(schema.parsingCanonicalForm.contains(#"{"name":"a.Zip","type":"fixed","size":2}"#))
      #expect(registry.requests.count == 3)
      _ = try await client.fetch(id: 1)
      #expect(registry.requests.count == 3)
    }
  }

  @Test func `a failing registry is asked again, a refusing one is not`() async throws {
    try await Self.with { registry, client in
      registry.answer(
        "/schemas/ids/7", .init(status: 503, body: ""), .init(body: "", isCut: false),
        .init(body: #"{"schema":"\#(Self.schema)"}"#))
      let error = await #expect(throws: HeadraceError.self) { try await client.fetch(id: 7) }
      #expect(error?.code == "REGISTRY_ANSWER")
      #expect(registry.requests.count == 2)
      let schema = try await client.fetch(id: 7)
      #expect(schema != nil)
    }
    try await Self.with(password: "other") { registry, client in
      let error = await #expect(throws: HeadraceError.self) { try await client.fetch(id: 7) }
      #expect(error?.code == "REGISTRY_REFUSED")
      #expect(registry.requests.count == 1)
    }
  }

  @Test func `answers that are too large, cut, or not the registry's are errors`() async throws {
    var limits = HTTPClientConfiguration()
    limits.responseBytesMax = 1_000
    limits.attemptsMax = 2
    limits.backoffMilliseconds = 1
    try await Self.with(limits: limits) { registry, client in
      registry.answer("/schemas/ids/1", .init(body: String(repeating: "x", count: 2_000)))
      registry.answer("/schemas/ids/2", .init(body: "0123456789", isCut: true))
      registry.answer("/schemas/ids/3", .init(status: 404, body: "<html>not here</html>"))
      registry.answer("/schemas/ids/4", .init(body: #"{"schema":"syntax","schemaType":"PROTOBUF"}"#))
      registry.answer("/schemas/ids/5", .init(body: #"{"schema":"{}"}"#))
      for (id, code) in [
        (1, "HTTP_RESPONSE_TOO_LARGE"), (2, "HTTP_UNREACHABLE"), (3, "REGISTRY_ANSWER"), (4, "SCHEMA_NOT_AVRO"),
        (5, "SCHEMA_INVALID"),
      ] as [(Int32, String)] {
        let error = await #expect(throws: HeadraceError.self) { try await client.fetch(id: id) }
        #expect(error?.code == code, "\(error?.description ?? "")")
      }
    }
  }

  @Test func `compatibility is asked of the registry`() async throws {
    try await Self.with { registry, client in
      let path = "/compatibility/subjects/t-value/versions/latest?verbose=true"
      registry.answer(
        path, .init(body: #"{"is_compatible":false,"messages":["READER_FIELD_MISSING"]}"#),
        .init(body: #"{"is_compatible":true}"#))
      #expect(
        try await client.incompatibilities(subject: "t-value", schema: Array("\"int\"".utf8)) == [
          "READER_FIELD_MISSING"
        ])
      #expect(try await client.incompatibilities(subject: "t-value", schema: Array("\"int\"".utf8)).isEmpty)
      #expect(try await client.incompatibilities(subject: "new", schema: Array("\"int\"".utf8)).isEmpty)
      #expect(registry.requests.first == #"POST \#(path) {"schemaType":"AVRO","schema":"\"int\""}"#)
      registry.answer(
        "/subjects/t-value/versions/latest", .init(body: #"{"id":7,"version":2,"schema":"\#(Self.schema)"}"#))
      let latest = try #require(try await client.latest(subject: "t-value"))
      #expect(latest.id == 7 && latest.version == 2)
      let none = try await client.latest(subject: "none")
      #expect(none == nil)
    }
  }

  @Test func `nobody there is an error with the place, within the deadline`() async throws {
    var limits = HTTPClientConfiguration()
    limits.deadlineMilliseconds = 300
    let registry = try FakeRegistry()
    // It listens, and nobody ever accepts.
    let http = WebClient(limits)
    let started = WallClock.monotonic.nowMilliseconds
    let error = await #expect(throws: HeadraceError.self) {
      try await http.send(HTTPRequest("GET", registry.url + "/x"))
    }
    #expect(error?.code == "HTTP_TIMEOUT")
    #expect(error?.retry == .sameCall)
    #expect(WallClock.monotonic.nowMilliseconds - started < 5_000)
    registry.stop()
    let gone = await #expect(throws: HeadraceError.self) {
      try await http.send(HTTPRequest("GET", "http://u:secret@127.0.0.1:\(registry.port)/x"))
    }
    #expect(gone?.code == "HTTP_UNREACHABLE" || gone?.code == "HTTP_TIMEOUT")
    #expect(gone?.description.contains("secret") == false)
    let invalid = await #expect(throws: HeadraceError.self) { try await http.send(HTTPRequest("GET", "nonsense")) }
    #expect(invalid?.code == "HTTP_URL_INVALID")
    await http.close()
  }
}
