internal import Core
internal import HTTPClient

/// Sends signed requests to one bucket and waits for their answers.
final class S3Connection: Sendable {
  let configuration: S3Configuration
  private let client: WebClient
  private let signature: SignatureV4
  private let clock: WallClock

  struct Request: Sendable {
    var method: String
    /// Nil for the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
    /// Whether sending it twice does what sending it once does.
    var isRepeatable = true
  }

  init(_ configuration: S3Configuration, clock: WallClock) {
    self.configuration = configuration
    self.clock = clock
    signature = SignatureV4(credentials: configuration.credentials, region: configuration.region)
    var limits = HTTPClientConfiguration()
    limits.deadlineMilliseconds = configuration.deadlineMilliseconds
    limits.attemptMilliseconds = configuration.attemptMilliseconds
    limits.attemptsMax = configuration.attemptsMax
    limits.repeatedStatuses = [408, 429, 500, 502, 503, 504]
    limits.responseBytesMax = Self.responseBytesMax
    client = WebClient(limits)
  }

  /// The client below must be closed before it goes; nobody waits for that.
  deinit {
    let client = client
    Task.detached { await client.close() }
  }

  /// What one answer may have; larger objects are read in ranges.
  static let responseBytesMax = 256 << 20

  /// - Throws: HTTP_TIMEOUT and HTTP_UNREACHABLE; `.unknownOutcome` for requests that change something.
  func send(_ request: Request) throws(HeadraceError) -> HTTPResponse {
    let ready = signed(request)
    let client = client
    do throws(HeadraceError) {
      return try BlockingCall.result { () async throws(HeadraceError) in try await client.send(ready) }
    } catch {
      guard request.method != "GET", request.method != "HEAD", error.retry == .sameCall else { throw error }
      var unknown = error
      unknown.retry = .unknownOutcome
      throw unknown
    }
  }

  /// Many at a time; the answers are in the order of the requests.
  func send(_ requests: [Request]) throws(HeadraceError) -> [HTTPResponse] {
    let ready = requests.map(signed)
    let client = client
    return try BlockingCall.result { () async throws(HeadraceError) in
      let results = await withTaskGroup(of: (Int, Result<HTTPResponse, HeadraceError>).self) { group in
        var results = [Result<HTTPResponse, HeadraceError>?](repeating: nil, count: ready.count)
        for index in ready.indices {
          if index >= Self.concurrentRequestsMax, let (done, result) = await group.next() { results[done] = result }
          group.addTask { (index, await client.result(ready[index])) }
        }
        for await (done, result) in group { results[done] = result }
        return results
      }
      var responses: [HTTPResponse] = []
      for case let result? in results { responses.append(try result.get()) }
      return responses
    }
  }

  private static let concurrentRequestsMax = 8

  private func signed(_ request: Request) -> HTTPRequest {
    let endpoint = configuration.endpoint
    let host = configuration.isPathStyle ? endpoint.authority : "\(configuration.bucket).\(endpoint.authority)"
    var path = configuration.isPathStyle ? "/\(configuration.bucket)" : ""
    if let key = request.key { path += "/" + PercentEncoding.encode(key, keepsSlashes: true) }
    if path.isEmpty { path = "/" }
    let date = AmazonDate(milliseconds: clock.nowMilliseconds)
    let payloadHash = ContentHash.sha256(request.body ?? [])
    var headers = request.headers + [("x-amz-date", date.text), ("x-amz-content-sha256", payloadHash)]
    if let token = configuration.credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
    let authorization = signature.authorization(
      SignatureV4.Request(
        method: request.method, path: path, query: request.query, headers: headers + [("host", host)],
        payloadHash: payloadHash), date: date)
    headers.append(("authorization", authorization))
    let query = SignatureV4.query(request.query)
    return HTTPRequest(
      request.method, "\(endpoint.scheme)://\(host)\(path)\(query.isEmpty ? "" : "?\(query)")", headers: headers,
      body: request.body, isRepeatable: request.isRepeatable)
  }
}

extension WebClient {
  fileprivate func result(_ request: HTTPRequest) async -> Result<HTTPResponse, HeadraceError> {
    do throws(HeadraceError) {
      return .success(try await send(request))
    } catch {
      return .failure(error)
    }
  }
}
