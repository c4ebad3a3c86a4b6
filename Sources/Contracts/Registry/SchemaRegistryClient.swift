package import Core
package import HTTPClient
internal import Synchronization

/// Where a schema registry is, and who asks.
package struct SchemaRegistryConfiguration: Sendable {
  /// `http://HOST:8081`, with the path that the registry lives under if there is one.
  package var url: String
  package var credentials: HTTPCredentials?
  /// How long "there is no such schema" is believed.
  package var unknownMilliseconds: Int64 = 60_000

  package init(url: String, credentials: HTTPCredentials? = nil) {
    self.url = url
    self.credentials = credentials
  }
}

/// Speaks the API of Confluent's Schema Registry, as Karapace, Apicurio and Redpanda do too.
///
/// As `WriterSchemas` it answers from memory, and remembers which ids it could not answer; `fetchWanted` gets these.
/// A schema id stands for the same schema for ever, so that what was fetched is kept.
package final class SchemaRegistryClient: WriterSchemas {
  let configuration: SchemaRegistryConfiguration
  private let http: WebClient
  private let clock: WallClock
  private let state = Mutex(State())

  private struct State {
    var schemas: [Int32: AvroSchema] = [:]
    /// Ids that the registry did not know, and until when that is believed.
    var unknown: [Int32: Int64] = [:]
    var wanted: Set<Int32> = []
    /// Ids of schemas of ours, by subject and text.
    var registered: [Registration: Int32] = [:]
  }

  private struct Registration: Hashable {
    var subject: String
    var schema: String
  }

  /// Ids come with records from outside: more than this are not remembered.
  private static let idsMax = 10_000

  package init(
    _ configuration: SchemaRegistryConfiguration, http: WebClient, clock: WallClock = .monotonic
  ) {
    self.configuration = configuration
    self.http = http
    self.clock = clock
  }

  package func schema(id: Int32) -> WriterSchemaLookup {
    state.withLock { state in
      if let schema = state.schemas[id] { return .found(schema) }
      if let end = state.unknown[id], clock.nowMilliseconds < end { return .unknown }
      if state.wanted.count < Self.idsMax { state.wanted.insert(id) }
      return .unavailable
    }
  }

  /// Whether somebody asked for a schema that is not here yet.
  package var hasWanted: Bool { state.withLock { !$0.wanted.isEmpty } }

  /// Gets every schema that was asked for and is not here yet.
  ///
  /// - Throws: the first failure, after all were tried; ids that were not got stay wanted.
  package func fetchWanted() async throws(HeadraceError) {
    var failure: HeadraceError?
    for id in state.withLock({ $0.wanted.sorted() }) {
      do throws(HeadraceError) {
        _ = try await fetch(id: id)
      } catch {
        failure = failure ?? error
        // What is no schema for us does not become one by asking again: its records are not waited for.
        if error.code == "SCHEMA_NOT_AVRO" || error.code == "SCHEMA_INVALID" { noteUnknown(id) }
      }
    }
    if let failure { throw failure }
  }

  private func noteUnknown(_ id: Int32) {
    remember { state in
      if state.unknown.count >= Self.idsMax { state.unknown.removeAll() }
      state.unknown[id] = self.clock.nowMilliseconds + self.configuration.unknownMilliseconds
      state.wanted.remove(id)
    }
  }

  /// Gets one schema, from memory if it is there.
  ///
  /// - Returns: nil when the registry says that there is none.
  package func fetch(id: Int32) async throws(HeadraceError) -> AvroSchema? {
    if let known = state.withLock({ $0.schemas[id] }) { return known }
    let answer = try await get("/schemas/ids/\(id)")
    guard answer.status != 404 else {
      noteUnknown(id)
      return nil
    }
    let document = try document(answer, "/schemas/ids/\(id)")
    let schema = try await schema(document, place: "schema id \(id)")
    remember { state in
      state.schemas[id] = schema
      state.unknown[id] = nil
      state.wanted.remove(id)
    }
    return schema
  }

  private func remember(_ change: (inout sending State) -> Void) { state.withLock { change(&$0) } }

  private func schema(_ document: JSONDocument, place: String) async throws(HeadraceError) -> AvroSchema {
    var references: [[UInt8]] = []
    var seen: Set<String> = []
    try await collect(document, place, &references, &seen)
    return try AvroSchema(json: try Self.text(document, place), place: place, references: references)
  }

  private static let referencesMax = 64

  /// Adds what a schema refers to, each after what it refers to itself.
  private func collect(
    _ document: JSONDocument, _ place: String, _ references: inout [[UInt8]], _ seen: inout Set<String>
  ) async throws(HeadraceError) {
    guard case .array(let items)? = document["references"]?.content else { return }
    for item in items {
      guard let subject = item["subject"]?.string, let version = item["version"]?.integer else { continue }
      let path = "/subjects/\(EscapedText.url(subject))/versions/\(version)"
      guard seen.insert(path).inserted else { continue }
      guard seen.count <= Self.referencesMax else {
        throw HeadraceError(
          .user, "SCHEMA_INVALID", "the schema refers to more than \(Self.referencesMax) others", place: place,
          remedy: "merge some of them")
      }
      let inner = try self.document(try await get(path), path)
      try await collect(inner, place, &references, &seen)
      references.append(try Self.text(inner, path))
    }
  }

  private static func text(_ document: JSONDocument, _ place: String) throws(HeadraceError) -> [UInt8] {
    let type = document["schemaType"]?.string ?? "AVRO"
    guard type == "AVRO" else {
      throw HeadraceError(
        .user, "SCHEMA_NOT_AVRO", "the schema is of type \(type), expected AVRO", place: place,
        remedy: "declare the topic's format as it is")
    }
    guard let text = document["schema"]?.string else {
      throw HeadraceError(
        .external, "REGISTRY_ANSWER", "the answer has no \"schema\"", place: place,
        remedy: "check that the URL is the registry's")
    }
    return Array(text.utf8)
  }
}

// MARK: Schemas of ours

extension SchemaRegistryClient {
  /// Returns from memory what is registered already; otherwise waits for the registry.
  package func register(subject: String, schema json: String) throws(HeadraceError) -> Int32 {
    let registration = Registration(subject: subject, schema: json)
    if let known = state.withLock({ $0.registered[registration] }) { return known }
    let answer = Answer()
    Task { [self] in
      do throws(HeadraceError) {
        let id = try await registered(subject: subject, schema: json)
        answer.result.withLock { $0 = .success(id) }
      } catch {
        answer.result.withLock { $0 = .failure(error) }
      }
    }
    // Once for each schema, while a plan is prepared: looking now and then is all that it takes.
    let deadline = WallClock.monotonic.nowMilliseconds + Self.registerMilliseconds
    var result: Result<Int32, HeadraceError>?
    while result == nil, WallClock.monotonic.nowMilliseconds < deadline {
      result = answer.result.withLock { $0 }
      if result == nil { Sleep.milliseconds(Self.lookMilliseconds) }
    }
    guard let result else {
      throw HeadraceError(
        .external, "REGISTRY_TIMEOUT", "no answer within \(Self.registerMilliseconds) ms", retry: .sameCall,
        place: configuration.url)
    }
    let id = try result.get()
    // Who reads what is written here need not ask for it.
    let schema = try AvroSchema(json: Array(json.utf8), place: subject)
    state.withLock { state in
      state.registered[registration] = id
      state.schemas[id] = schema
    }
    return id
  }

  private final class Answer: Sendable {
    let result = Mutex<Result<Int32, HeadraceError>?>(nil)
  }

  private static let registerMilliseconds: Int64 = 15_000
  private static let lookMilliseconds = 5

  private func registered(subject: String, schema json: String) async throws(HeadraceError) -> Int32 {
    let path = "/subjects/\(EscapedText.url(subject))/versions"
    // A schema that is there already keeps its id.
    let answer = try await send(request("POST", path, body: Self.body(json), isRepeatable: true))
    guard let id = try document(answer, path)["id"]?.integer.flatMap({ Int32(exactly: $0) }) else {
      throw HeadraceError(
        .external, "REGISTRY_ANSWER", "the answer has no \"id\"", place: path,
        remedy: "check that the URL is the registry's")
    }
    return id
  }

  private static func body(_ json: String) -> [UInt8] {
    var body = Array(#"{"schemaType":"AVRO","schema":"#.utf8)
    JSONText.appendString(json, to: &body)
    body.append(UInt8(ascii: "}"))
    return body
  }
}

// MARK: Subjects

extension SchemaRegistryClient {
  /// A registered version of a subject.
  package struct Version: Sendable {
    package var id: Int32
    package var version: Int64
    package var schema: AvroSchema
  }

  /// The newest version of a subject (`TOPIC-value`); nil when the registry has none.
  package func latest(subject: String) async throws(HeadraceError) -> Version? {
    let path = "/subjects/\(EscapedText.url(subject))/versions/latest"
    let answer = try await get(path)
    if answer.status == 404 { return nil }
    let document = try document(answer, path)
    guard let id = document["id"]?.integer.flatMap({ Int32(exactly: $0) }), let version = document["version"]?.integer
    else {
      throw HeadraceError(
        .external, "REGISTRY_ANSWER", "the answer has no \"id\" and \"version\"", place: path,
        remedy: "check that the URL is the registry's")
    }
    return Version(id: id, version: version, schema: try await schema(document, place: subject))
  }

  /// Asks the registry whether a schema may become the next version of a subject, by the subject's own rule.
  ///
  /// - Returns: what stands in the way, in the registry's words; empty when nothing does, or when there is no version.
  package func incompatibilities(subject: String, schema json: [UInt8]) async throws(HeadraceError) -> [String] {
    var body = Array(#"{"schemaType":"AVRO","schema":"#.utf8)
    JSONText.appendString(json.span, to: &body)
    body.append(UInt8(ascii: "}"))
    let path = "/compatibility/subjects/\(EscapedText.url(subject))/versions/latest?verbose=true"
    // Asking changes nothing.
    let answer = try await send(request("POST", path, body: body, isRepeatable: true))
    if answer.status == 404 { return [] }
    let document = try document(answer, path)
    if document["is_compatible"]?.boolean == true { return [] }
    guard case .array(let messages)? = document["messages"]?.content, !messages.isEmpty else {
      return ["the registry says that the schema is not compatible, and not why"]
    }
    return messages.map { $0.string ?? $0.kind }
  }

  private func get(_ path: String) async throws(HeadraceError) -> HTTPResponse {
    try await send(request("GET", path, body: nil, isRepeatable: true))
  }

  private func request(_ method: String, _ path: String, body: [UInt8]?, isRepeatable: Bool) -> HTTPRequest {
    let base = configuration.url.hasSuffix("/") ? String(configuration.url.dropLast()) : configuration.url
    var headers = [(name: "Accept", value: "application/vnd.schemaregistry.v1+json, application/json")]
    if body != nil { headers.append((name: "Content-Type", value: "application/vnd.schemaregistry.v1+json")) }
    return HTTPRequest(
      method, base + path, headers: headers, body: body, credentials: configuration.credentials,
      isRepeatable: isRepeatable)
  }

  /// - Throws: what an answer means that is neither 200 nor "there is none".
  private func send(_ request: HTTPRequest) async throws(HeadraceError) -> HTTPResponse {
    let answer = try await http.send(request)
    switch answer.status {
    case 200: return answer
    case 404 where Self.saysThatThereIsNone(answer): return answer
    case 401, 403:
      throw HeadraceError(
        .user, "REGISTRY_REFUSED", "the schema registry refuses these credentials (\(answer.status))",
        place: configuration.url, remedy: "check user and password of the registry")
    default:
      let isTransient = answer.status >= 500 || answer.status == 429
      throw HeadraceError(
        .external, "REGISTRY_ANSWER", "the schema registry answered \(answer.status): \(Self.message(answer))",
        retry: isTransient ? .sameCall : .never, place: configuration.url, remedy: "look at the registry's log")
    }
  }

  /// Whether a 404 is the registry's, about a subject, a version or a schema; a wrong URL is answered with another one.
  private static func saysThatThereIsNone(_ answer: HTTPResponse) -> Bool {
    let code = (try? JSONDocument(answer.body, depthMax: 16))?["error_code"]?.integer
    return code.map { (40_401...40_403).contains($0) } ?? false
  }

  /// The registry's own words, or the beginning of whatever it sent.
  private static func message(_ answer: HTTPResponse) -> String {
    let document = try? JSONDocument(answer.body, depthMax: 16)
    return document?["message"]?.string ?? String(decoding: answer.body.prefix(200), as: UTF8.self).debugDescription
  }

  private func document(_ answer: HTTPResponse, _ path: String) throws(HeadraceError) -> JSONDocument {
    guard answer.status == 200, let document = try? JSONDocument(answer.body, depthMax: 16) else {
      throw HeadraceError(
        .external, "REGISTRY_ANSWER", "found \(answer.status): \(Self.message(answer)), expected an object",
        place: configuration.url + path, remedy: "check that the URL is the registry's")
    }
    return document
  }
}
