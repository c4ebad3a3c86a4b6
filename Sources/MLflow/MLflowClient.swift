internal import Core
internal import HTTPClient

/// MLflow's REST interface, version 2.0 (https://mlflow.org/docs/latest/rest-api.html).
package final class MLflowClient: Sendable {
  private static let depthMax = 32
  /// Of an artefact.
  package static let artefactBytesMax = 512 << 20

  let url: String
  private let client: WebClient
  private let downloads: WebClient
  private let credentials: HTTPCredentials?
  private let headers: [(name: String, value: String)]

  package init(_ configuration: MLflowConfiguration) {
    url = configuration.url
    credentials = configuration.token == nil ? configuration.credentials : nil
    headers = configuration.token.map { [("Authorization", "Bearer \($0)")] } ?? []
    client = WebClient()
    var limits = HTTPClientConfiguration()
    limits.responseBytesMax = Self.artefactBytesMax
    limits.deadlineMilliseconds = 300_000
    limits.attemptMilliseconds = 120_000
    downloads = WebClient(limits)
  }

  package func close() async {
    await client.close()
    await downloads.close()
  }

  /// - Returns: what was found; nil when MLflow knows no such thing.
  func get(_ path: String, _ query: [(name: String, value: String)]) async throws(HeadraceError) -> JSONDocument? {
    let parts = query.map { "\($0.name)=\(EscapedText.url($0.value))" }.joined(separator: "&")
    return try await known(HTTPRequest("GET", "\(url)/api/2.0/mlflow/\(path)?\(parts)"))
  }

  /// - Parameter isRepeatable: whether sending it twice does what sending it once does.
  @discardableResult
  func post(
    _ path: String, isRepeatable: Bool = true, method: String = "POST", _ members: (inout JSONWriter) -> Void
  ) async throws(HeadraceError) -> JSONDocument {
    var body = JSONWriter()
    body.object(members)
    let request = HTTPRequest(
      method, "\(url)/api/2.0/mlflow/\(path)", headers: [("Content-Type", "application/json")], body: body.bytes,
      isRepeatable: isRepeatable)
    return try Self.document(try await send(request, client), url)
  }

  /// A file that the server hands out itself; nil when there is none.
  ///
  /// - Parameter path: below the server's root of artefacts.
  func artefact(_ path: String) async throws(HeadraceError) -> [UInt8]? {
    let address = path.split(separator: "/").map { EscapedText.url(String($0)) }.joined(separator: "/")
    let answer = try await send(
      HTTPRequest("GET", "\(url)/api/2.0/mlflow-artifacts/artifacts/\(address)"), downloads)
    if answer.status == 404 { return nil }
    guard answer.status == 200 else { throw Self.refusal(answer, url) }
    return answer.body
  }

  private func known(_ request: HTTPRequest) async throws(HeadraceError) -> JSONDocument? {
    do throws(HeadraceError) {
      return try Self.document(try await send(request, client), url)
    } catch {
      // Of an alias that there is not it says that the parameter is wrong.
      if error.code == "MLFLOW_RESOURCE_DOES_NOT_EXIST" || error.message.hasSuffix("not found.") { return nil }
      throw error
    }
  }

  private func send(_ request: HTTPRequest, _ client: WebClient) async throws(HeadraceError) -> HTTPResponse {
    var request = request
    request.headers += headers
    request.credentials = credentials
    return try await client.send(request)
  }

  private static func document(_ answer: HTTPResponse, _ place: String) throws(HeadraceError) -> JSONDocument {
    guard (200..<300).contains(answer.status) else { throw refusal(answer, place) }
    do throws(JSONFault) {
      return try JSONDocument(answer.body, depthMax: depthMax)
    } catch {
      throw HeadraceError(
        .external, "MLFLOW_ANSWER", "the answer is no JSON: \(error.reason.expectation)", place: place,
        remedy: "check that a tracking server of MLflow listens there")
    }
  }

  private static func refusal(_ answer: HTTPResponse, _ place: String) -> HeadraceError {
    let document = try? JSONDocument(answer.body, depthMax: depthMax)
    // What a person can put right at the server is worth another attempt; what is wrong with the request is not.
    let mayPass = answer.status >= 500 || [401, 403, 408, 429].contains(answer.status)
    return HeadraceError(
      .external, "MLFLOW_\(document?["error_code"]?.string ?? "\(answer.status)")",
      document?["message"]?.string ?? "the server answered with status \(answer.status)",
      retry: mayPass ? .sameCall : .never, place: place,
      remedy: answer.status == 401 || answer.status == 403
        ? "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" : nil)
  }
}
