internal import Contracts
internal import Core
internal import HTTPClient

/// Asks a Headrace over HTTP, and turns its refusals into errors with a remedy.
struct ServerClient: Sendable {
  private static let depthMax = 16
  private let address: String
  private let configuration: HTTPClientConfiguration
  private let headers: [(name: String, value: String)]

  /// - Parameters:
  ///   - address: HOST:PORT.
  ///   - token: who asks; nil: nobody in particular.
  init(_ address: String, token: String?, timeoutMilliseconds: Int64 = 5_000) {
    self.address = address
    headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
    var configuration = HTTPClientConfiguration()
    configuration.deadlineMilliseconds = timeoutMilliseconds
    configuration.attemptMilliseconds = timeoutMilliseconds
    configuration.connectMilliseconds = min(timeoutMilliseconds, configuration.connectMilliseconds)
    configuration.attemptsMax = 1
    configuration.responseBytesMax = 64 << 20
    self.configuration = configuration
  }

  func get(_ path: String) async throws -> [UInt8] {
    try await send(HTTPRequest("GET", "http://\(address)\(path)", headers: headers))
  }

  /// - Parameter body: JSON.
  func post(_ path: String, _ body: [UInt8]) async throws -> [UInt8] {
    try await send(
      HTTPRequest(
        "POST", "http://\(address)\(path)", headers: headers + [("Content-Type", "application/json")], body: body,
        isRepeatable: true))
  }

  private func send(_ request: HTTPRequest) async throws -> [UInt8] {
    let client = WebClient(configuration)
    let result: Result<HTTPResponse, HeadraceError>
    do throws(HeadraceError) {
      result = .success(try await client.send(request))
    } catch {
      result = .failure(error.isUnreachable ? noAnswer(error) : error)
    }
    await client.close()
    let response = try result.get()
    guard (200..<300).contains(response.status) else { throw Self.refusal(response, place: address) }
    return response.body
  }

  private func noAnswer(_ error: HeadraceError) -> HeadraceError {
    let reason = error.message.contains("Connection refused") ? "connection refused" : error.message
    return HeadraceError(
      .external, error.code, "no Headrace answers: \(reason)", retry: .sameCall, place: address,
      remedy: "start one (headrace dev FILE, headrace run FILE), or name it by --server HOST:PORT or HEADRACE_SERVER")
  }

  /// Three shapes: ours (`application/problem+json`), FastAPI's list of faults, and Feast's, a JSON text with JSON in
  /// it.
  static func refusal(_ response: HTTPResponse, place: String) -> HeadraceError {
    var document = try? JSONDocument(response.body, depthMax: depthMax)
    if let inner = document?.string { document = try? JSONDocument(Array(inner.utf8), depthMax: depthMax) }
    let faults = document?["detail"]?.elements?.compactMap { fault -> String? in
      guard let message = fault["msg"]?.string else { return nil }
      let path = fault["loc"]?.elements?.map { $0.string ?? $0.kind }.joined(separator: ".") ?? ""
      return path.isEmpty ? message : "\(path): \(message)"
    }
    let message =
      document?["detail"]?.string ?? document?["message"]?.string ?? faults?.joined(separator: "; ")
      ?? "the server answered with status \(response.status)"
    let code = document?["code"]?.string ?? "HTTP_\(response.status)"
    let isOurs = response.status < 500 && response.status != 429
    return HeadraceError(
      isOurs ? .user : .external, code, message, retry: isOurs ? .never : .sameCall,
      place: document?["place"]?.string ?? place, remedy: document?["remedy"]?.string)
  }
}
