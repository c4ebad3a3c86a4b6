internal import Core
internal import HTTPClient
internal import Logging
internal import Telemetry

/// Sends spans to a collector over OTLP/HTTP, until it is cancelled; then what is left, once.
enum TraceExport {
  private static let lastMilliseconds: Int64 = 2_000

  static func start(_ queue: SpanQueue, _ configuration: TelemetryConfiguration, logger: Logger) -> Task<Void, Never> {
    Task {
      guard let url = configuration.tracesURL else { return }
      var http = HTTPClientConfiguration()
      http.attemptsMax = 3
      let client = WebClient(http)
      var told: String?
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(configuration.exportIntervalMilliseconds))
        await drain(queue, configuration, url, client, &told, logger)
      }
      await client.close()
      http.attemptsMax = 1
      http.deadlineMilliseconds = lastMilliseconds
      // A task that is cancelled may not wait for an answer; another one may.
      await Task.detached { [http, told] in
        let client = WebClient(http)
        var told = told
        await drain(queue, configuration, url, client, &told, logger)
        await client.close()
      }.value
    }
  }

  private static func drain(
    _ queue: SpanQueue, _ configuration: TelemetryConfiguration, _ url: String, _ client: WebClient,
    _ told: inout String?, _ logger: Logger
  ) async {
    while true {
      let spans = queue.take(configuration.exportCountMax)
      guard !spans.isEmpty else { return }
      let body = TraceRequest.encode(spans, resource: resource(configuration))
      var headers = [(name: "Content-Type", value: TraceRequest.contentType)]
      headers += configuration.headers.map { ($0.name, $0.value) }
      do throws(HeadraceError) {
        let answer = try await client.send(
          HTTPRequest("POST", url, headers: headers, body: body, isRepeatable: true))
        guard (200..<300).contains(answer.status) else {
          throw HeadraceError(.external, "HTTP_\(answer.status)", "the collector refuses spans", place: url)
        }
        queue.note(exported: spans.count)
        told = nil
      } catch {
        queue.note(failed: spans.count)
        // Once for each kind of trouble.
        if told != error.description {
          logger.warning("spans could not be sent", metadata: ["error": "\(error)"])
          told = error.description
        }
        return
      }
    }
  }

  private static func resource(_ configuration: TelemetryConfiguration) -> [(name: String, value: Span.Attribute)] {
    [
      ("service.name", .text(configuration.serviceName)), ("service.version", .text(Version.current)),
      ("telemetry.sdk.language", .text("swift")), ("telemetry.sdk.name", .text("headrace")),
    ] + configuration.resource.map { ($0.name, .text($0.value)) }
  }
}
