internal import Core
internal import Glibc
internal import HTTPClient
internal import Lineage
internal import Logging

/// Sends lineage events on, one after the other, until it is cancelled; then what is left, once.
enum LineageExport {
  private static let idleMilliseconds: Int64 = 100
  private static let lastMilliseconds: Int64 = 2_000

  /// Who says it: the producer of every event. The program has no address of its own; what checks it wants a host.
  static let producer = "https://headrace.invalid/\(Version.current)"

  static func start(_ queue: LineageQueue, _ configuration: LineageConfiguration, logger: Logger) -> Task<Void, Never> {
    Task {
      var limits = HTTPClientConfiguration()
      limits.attemptsMax = 3
      var told: String?
      let client = WebClient(limits)
      while !Task.isCancelled {
        await drain(queue, configuration, client, &told, logger)
        try? await Task.sleep(for: .milliseconds(idleMilliseconds))
      }
      await client.close()
      limits.attemptsMax = 1
      limits.deadlineMilliseconds = lastMilliseconds
      // A task that is cancelled may not wait for an answer; another one may.
      await Task.detached { [limits, told] in
        let client = WebClient(limits)
        var told = told
        await drain(queue, configuration, client, &told, logger)
        await client.close()
      }.value
    }
  }

  /// Tells of a run that ends with this command: that it begins, and what became of it.
  ///
  /// - Parameter work: gives what it read and wrote.
  static func report<Value: Sendable>(
    _ job: LineageJob, _ configuration: LineageConfiguration, logger: Logger,
    _ work: () async throws -> (value: Value, inputs: [LineageDataset], outputs: [LineageDataset])
  ) async throws -> Value {
    guard configuration.isOn else { return try await work().value }
    let queue = LineageQueue()
    let runID = LineageRunID()
    func event(_ kind: LineageEvent.Kind) -> LineageEvent {
      LineageEvent(kind, timeMilliseconds: WallClock.system.nowMilliseconds, job: job, runID: runID)
    }
    queue.offer(event(.start))
    let sending = start(queue, configuration, logger: logger)
    func end(_ event: LineageEvent) async {
      queue.offer(event)
      sending.cancel()
      await sending.value
    }
    do {
      let result = try await work()
      var complete = event(.complete)
      (complete.inputs, complete.outputs) = (result.inputs, result.outputs)
      await end(complete)
      return result.value
    } catch {
      var failed = event(.fail)
      failed.errorMessage = "\(error)"
      await end(failed)
      throw error
    }
  }

  private static func drain(
    _ queue: LineageQueue, _ configuration: LineageConfiguration, _ client: WebClient, _ told: inout String?,
    _ logger: Logger
  ) async {
    while let event = queue.first {
      let body = event.encoded(producer: producer)
      do throws(HeadraceError) {
        if let file = configuration.file { try append(body + [UInt8(ascii: "\n")], to: file) }
        if let url = configuration.url { try await post(body, url, configuration.apiKey, client) }
        queue.removeFirst(wasSent: true)
        told = nil
      } catch {
        queue.removeFirst(wasSent: false)
        // Once for each kind of trouble.
        if told != error.description {
          logger.warning("lineage could not be sent", metadata: ["error": "\(error)"])
          told = error.description
        }
      }
    }
  }

  private static func post(
    _ body: [UInt8], _ url: String, _ apiKey: String?, _ client: WebClient
  ) async throws(HeadraceError) {
    var headers = [(name: "Content-Type", value: "application/json")]
    if let apiKey { headers.append(("Authorization", "Bearer \(apiKey)")) }
    // What is said twice is said of one run.
    let answer = try await client.send(HTTPRequest("POST", url, headers: headers, body: body, isRepeatable: true))
    guard (200..<300).contains(answer.status) else {
      throw HeadraceError(.external, "HTTP_\(answer.status)", "the lineage server refuses an event", place: url)
    }
  }

  /// One call for one line: lines of several processes do not mix.
  private static func append(_ line: [UInt8], to path: String) throws(HeadraceError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw unwritable(path) }
    defer { close(descriptor) }
    guard unsafe line.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, $0.count) }) == line.count else {
      throw unwritable(path)
    }
  }

  private static func unwritable(_ path: String) -> HeadraceError {
    let reason = unsafe String(cString: strerror(errno))
    return HeadraceError(
      .external, "LINEAGE_FILE", "the file of lineage events cannot be written: \(reason)", place: path)
  }
}
