internal import AsyncHTTPClient
package import Core
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Calls other services: every call has a deadline, every answer a largest size, and repetitions a budget.
///
/// Redirects are not followed and answers not decompressed: both would go around the limits. Any thread or task may use
/// it; `close` it at the end.
package final class WebClient: Sendable {
  package let configuration: HTTPClientConfiguration
  private let client: AsyncHTTPClient.HTTPClient
  private let budget = Mutex(RetryBudget())

  package init(_ configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
    self.configuration = configuration
    var settings = AsyncHTTPClient.HTTPClient.Configuration()
    settings.redirectConfiguration = .disallow
    settings.decompression = .disabled
    settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.connectionsMax
    settings.timeout.connect = .milliseconds(configuration.connectMilliseconds)
    settings.timeout.read = .milliseconds(configuration.attemptMilliseconds)
    settings.dnsOverride = configuration.addressOverrides
    client = AsyncHTTPClient.HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
  }

  /// Ends connections; calls that are under way fail.
  package func close() async { try? await client.shutdown() }

  /// Sends a request and reads the whole answer.
  ///
  /// An answer is an answer: statuses are for the caller, but that a repeatable request is sent again after some of
  /// them (`repeatedStatuses`) while time, attempts and budget last.
  ///
  /// - Throws: HTTP_URL_INVALID; HTTP_TIMEOUT, HTTP_UNREACHABLE, HTTP_RESPONSE_TOO_LARGE with the URL as their place.
  package func send(_ request: HTTPRequest) async throws(HeadraceError) -> HTTPResponse {
    try await send(request, deadlineMilliseconds: configuration.deadlineMilliseconds)
  }

  /// The same, for a caller that has less time than the client gives.
  package func send(
    _ request: HTTPRequest, deadlineMilliseconds: Int64
  ) async throws(HeadraceError) -> HTTPResponse {
    let clock = WallClock.monotonic
    let deadline = clock.nowMilliseconds + min(configuration.deadlineMilliseconds, deadlineMilliseconds)
    budget.withLock { $0.requestWasSent() }
    var attempt = 1
    while true {
      let left = deadline - clock.nowMilliseconds
      let outcome = await self.attempt(request, milliseconds: max(1, min(left, configuration.attemptMilliseconds)))
      let pause = configuration.backoffMilliseconds << Int64(min(attempt - 1, 10))
      let jittered = Int64.random(in: pause / 2...max(pause / 2, pause * 3 / 2))
      let isLast = attempt >= configuration.attemptsMax || !request.isRepeatable || !mayHelp(outcome)
      guard !isLast, clock.nowMilliseconds + jittered < deadline, budget.withLock({ $0.takeRepetition() }),
        await Self.pause(milliseconds: jittered)
      else { return try outcome.get() }
      attempt += 1
    }
  }

  private func mayHelp(_ outcome: Result<HTTPResponse, HeadraceError>) -> Bool {
    switch outcome {
    case .success(let response): configuration.repeatedStatuses.contains(response.status)
    case .failure(let error): error.retry == .sameCall
    }
  }

  /// - Returns: false when the task was cancelled meanwhile.
  private static func pause(milliseconds: Int64) async -> Bool {
    (try? await Task.sleep(for: .milliseconds(milliseconds))) != nil
  }

  private func attempt(_ request: HTTPRequest, milliseconds: Int64) async -> Result<HTTPResponse, HeadraceError> {
    var outgoing = HTTPClientRequest(url: request.url)
    outgoing.method = HTTPMethod(rawValue: request.method)
    for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
    if let credentials = request.credentials {
      outgoing.setBasicAuth(username: credentials.username, password: credentials.password)
    }
    if let body = request.body { outgoing.body = .bytes(body) }
    let ready = outgoing
    do {
      return .success(try await within(milliseconds: milliseconds) { try await self.exchange(ready, milliseconds) })
    } catch {
      return .failure(self.error(error, request, milliseconds: milliseconds))
    }
  }

  private func exchange(_ request: HTTPClientRequest, _ milliseconds: Int64) async throws -> HTTPResponse {
    let response = try await client.execute(request, timeout: .milliseconds(milliseconds))
    let body = try await response.body.collect(upTo: configuration.responseBytesMax)
    let headers = response.headers.map { (name: $0.name, value: $0.value) }
    return HTTPResponse(status: Int(response.status.code), headers: headers, body: Array(body.readableBytesView))
  }

  private struct TimeIsOver: Error {}

  /// The library's deadline ends with the head of an answer; a body may still come a byte a second.
  private func within<Value: Sendable>(
    milliseconds: Int64, _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask { try await work() }
      group.addTask {
        try await Task.sleep(for: .milliseconds(milliseconds))
        throw TimeIsOver()
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw TimeIsOver() }
      return first
    }
  }

  private func error(_ error: any Error, _ request: HTTPRequest, milliseconds: Int64) -> HeadraceError {
    let place = "\(request.method) \(Self.shown(request.url))"
    switch error {
    case is TimeIsOver: return .timeout(milliseconds, place)
    case is NIOTooManyBytesError:
      return HeadraceError(
        .external, "HTTP_RESPONSE_TOO_LARGE", "the answer is larger than \(configuration.responseBytesMax) bytes",
        place: place, remedy: "check that the URL is the service's; a proxy's page may have answered")
    case let error as HTTPClientError:
      switch error {
      case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath:
        return HeadraceError(
          .user, "HTTP_URL_INVALID", "this is no URL to call: \(error.shortDescription)", place: place,
          remedy: "write http://HOST:PORT or https://HOST:PORT")
      case .deadlineExceeded, .readTimeout, .writeTimeout, .connectTimeout, .getConnectionFromPoolTimeout,
        .tlsHandshakeTimeout:
        return .timeout(milliseconds, place)
      default:
        return .unreachable("\(error.shortDescription)", place)
      }
    default: return .unreachable("\(error)", place)
    }
  }

  /// Without user and password, which some people put into URLs.
  private static func shown(_ url: String) -> String {
    guard let at = url.lastIndex(of: "@"), let scheme = url.firstRange(of: "://"), scheme.upperBound < at else {
      return url
    }
    return url[..<scheme.upperBound] + "***" + url[at...]
  }
}

extension HeadraceError {
  fileprivate static func timeout(_ milliseconds: Int64, _ place: String) -> Self {
    HeadraceError(
      .external, "HTTP_TIMEOUT", "no complete answer within \(milliseconds) ms", retry: .sameCall, place: place,
      remedy: "check that the service is up and not overloaded")
  }

  fileprivate static func unreachable(_ reason: String, _ place: String) -> Self {
    HeadraceError(
      .external, "HTTP_UNREACHABLE", "the service cannot be reached: \(reason)", retry: .sameCall, place: place,
      remedy: "check host, port, scheme and network")
  }
}
