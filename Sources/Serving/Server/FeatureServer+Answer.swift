internal import Core
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

extension FeatureServer {
  /// Answers one request. Runs on the connection's event loop.
  func answer(
    _ request: Request, _ writer: consuming ResponseWriter, _ connectionGuard: NIOLoopBound<ConnectionGuard>
  ) async throws {
    let started = NIODeadline.now()
    let queued = ConnectionGuard.nowMilliseconds &- connectionGuard.value.arrivedMilliseconds
    let path = request.head.path ?? ""
    if let file = ConsoleFiles[path] {
      let reply = console(file, request)
      try await write(reply, isHead: request.method == .head, writer)
      return counters.answered(nil, status: reply.status, nanoseconds: started.nanosecondsUntilNow)
    }
    if let problem = refusal(of: request, path: path) {
      let reply = problem.reply(on: Route(path: path))
      try await write(reply, isHead: request.method == .head, writer)
      return counters.answered(nil, status: reply.status, nanoseconds: started.nanosecondsUntilNow)
    }
    if let route = InferenceRoute(path: path) {
      let reply = await inferenceReply(to: route, request, queuedMilliseconds: queued)
      try await write(reply, isHead: request.method == .head, writer)
      return counters.answered(nil, status: reply.status, nanoseconds: started.nanosecondsUntilNow)
    }
    if let route = RegistryRoute(path: path) {
      let reply = await registryReply(to: route, request, queuedMilliseconds: queued)
      try await write(reply, isHead: request.method == .head, writer)
      return counters.answered(nil, status: reply.status, nanoseconds: started.nanosecondsUntilNow)
    }
    if let route = InsightRoute(path: path) {
      let reply = await insightReply(to: route, request, queuedMilliseconds: queued)
      try await write(reply, isHead: request.method == .head, writer)
      return counters.answered(nil, status: reply.status, nanoseconds: started.nanosecondsUntilNow)
    }
    let route = Route(path: path)
    let isKnown = route.map { $0.method == request.method || ($0.method == .get && request.method == .head) } ?? false
    let reply: Reply
    do throws(Problem) {
      guard let route else {
        throw Problem(404, "NO_SUCH_ADDRESS", "there is nothing at \(path)", remedy: "see /openapi.json")
      }
      guard isKnown else {
        throw Problem(405, "WRONG_METHOD", "\(path) takes \(route.methodName), not \(request.method.rawValue)")
      }
      if !route.isExemptFromAdmission { try admission.admit(queuedMilliseconds: queued) }
      let deadline = started + .milliseconds(configuration.admission.deadlineMilliseconds &- queued)
      if route.method == .post {
        try check(request, route)
        if request.headers[.expect] == "100-continue" {
          try? await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let body = try await self.body(of: request, bytesMaximum: configuration.limits.bodyBytes)
        reply = try await self.reply(
          to: route, body: body, authorization: request.headers[.authorization], deadline: deadline)
      } else {
        reply =
          route == .session
          ? session(request) : await self.reply(to: route, accept: request.headers[.accept] ?? "")
      }
    } catch {
      var failed = error.reply(on: route)
      if !isKnown { failed.allow = route?.methodName }
      reply = failed
    }
    try await write(reply, isHead: request.method == .head, writer)
    counters.answered(isKnown ? route : nil, status: reply.status, nanoseconds: started.nanosecondsUntilNow)
  }

  private func reply(
    to route: Route, body: ByteBuffer, authorization: String?, deadline: NIODeadline
  ) async throws(Problem) -> Reply {
    switch route {
    case .getOnlineFeatures:
      return try await onlineFeatures(body, authorization: authorization, deadline: deadline)
    case .rows: return try await rows(body, deadline: deadline)
    case .push, .writeToOnlineStore: return try await push(route, body, deadline: deadline)
    default: throw Problem(404, "NO_SUCH_ADDRESS", "nothing takes a body at \(route.path)")
    }
  }

  private func reply(to route: Route, accept: String) async -> Reply {
    switch route {
    case .getOnlineFeatures, .push, .writeToOnlineStore, .rows, .session: return Reply(status: 405)
    case .health: return Reply(status: status.report().isReadable ? 200 : 503)
    case .live: return .json(ByteBuffer(string: "{\"live\":true}"))
    case .ready: return replies.ready()
    case .views: return .json(replies.views())
    case .topology: return .json(replies.topology())
    case .tasks: return .json(replies.tasks())
    case .parity: return .json(replies.parity())
    case .models: return .json(replies.models())
    case .cost: return costs()
    case .drift: return .json(ByteBuffer(bytes: status.drift() ?? Array(#"{"monitors":[]}"#.utf8)))
    case .usefulness: return replies.usefulness(status.usefulness())
    case .openAPI: return .json(ByteBuffer(string: OpenAPIDocument.text))
    case .metrics:
      let offer = offer
      let metrics = Metrics(
        catalog: offer.catalog, report: status.report(), cost: status.cost(), counters: counters, admission: admission,
        peers: peers?.counters, shapes: offer.shapes.count, nowMilliseconds: clock.nowMilliseconds)
      let isOpen = accept.contains("application/openmetrics-text")
      return Reply(
        status: 200, contentType: isOpen ? .openMetrics : .metrics,
        body: metrics.text(isOpen ? .openMetrics : .prometheus))
    }
  }

  private var replies: StatusReplies { StatusReplies(catalog: offer.catalog, report: status.report()) }
}

extension FeatureServer {
  /// Why the caller may not even look; nil where they may, and of addresses that everybody may ask.
  private func refusal(of request: Request, path: String) -> Problem? {
    let route = Route(path: path)
    guard !access.isReadingOpen, route?.isOpenToAll != true, InferenceRoute(path: path)?.isOpenToAll != true else {
      return nil
    }
    do throws(Problem) {
      if route?.writes == true {
        _ = try access.decider(.operator, AccessGate.Visitor(request))
      } else {
        try access.checkReader(AccessGate.Visitor(request))
      }
      return nil
    } catch {
      return error
    }
  }

  /// What the headers alone tell.
  private func check(_ request: Request, _ route: Route) throws(Problem) {
    try checkHeaders(request, bodyBytes: configuration.limits.bodyBytes)
    if route.writes { try checkOrigin(request) }
  }

  /// A page in somebody's browser must not write into a server on their machine: browsers send where a page comes from.
  func checkOrigin(_ request: Request) throws(Problem) {
    guard let origin = request.headers[.origin], let host = request.head.authority, !origin.hasSuffix("://\(host)")
    else { return }
    throw Problem(403, "CROSS_ORIGIN", "a page of \(origin) may not write here", remedy: "write from a server")
  }

  /// Bodies come plain, and not larger than `bodyBytes`.
  func checkHeaders(_ request: Request, bodyBytes: Int) throws(Problem) {
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw Problem(
        415, "ENCODED_BODY", "bodies are not decompressed, this one is \(encoding)", remedy: "send it plain")
    }
    if let length = request.headers[.contentLength], let count = Int(length), count > bodyBytes {
      throw .bodyTooLarge(bodyBytes)
    }
  }

  func body(of request: Request, bytesMaximum: Int) async throws(Problem) -> ByteBuffer {
    var whole = ByteBuffer()
    do {
      for try await var part in request.body {
        guard whole.readableBytes + part.readableBytes <= bytesMaximum else {
          throw Problem.bodyTooLarge(bytesMaximum)
        }
        if whole.readableBytes == 0 { whole = part } else { whole.writeBuffer(&part) }
      }
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(400, "BROKEN_BODY", "the body did not come whole: \(error)")
    }
    offer.reads.received(bytes: whole.readableBytes)
    return whole
  }

  private func write(_ reply: Reply, isHead: Bool, _ writer: consuming ResponseWriter) async throws {
    var headers = HTTPFields()
    headers.reserveCapacity(4)
    headers[.date] = date.text(milliseconds: clock.nowMilliseconds)
    if let contentType = reply.contentType { headers[.contentType] = contentType.rawValue }
    headers[.contentLength] = String(reply.body.readableBytes)
    if let seconds = reply.retryAfterSeconds { headers[.retryAfter] = String(seconds) }
    if let allow = reply.allow { headers[.allow] = allow }
    if let bytes = reply.inferenceHeaderBytes { headers[.inferenceHeaderLength] = String(bytes) }
    if reply.status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"headrace\"" }
    for (name, value) in reply.headers {
      if let name = HTTPFields.Element.Name(name) { headers[name] = value }
    }
    if let offsets = reply.offsets, let name = HTTPFields.Element.Name("headrace-offsets") { headers[name] = offsets }
    let isEmpty = isHead || reply.body.readableBytes == 0
    offer.reads.sent(bytes: reply.body.readableBytes)
    try await writer.write(
      response: HTTPResponse(status: .init(code: reply.status), headerFields: headers),
      body: isEmpty ? ResponseBody() : ResponseBody(byteBuffer: reply.body))
  }
}

extension HTTPFields.Element.Name {
  /// Where the JSON of an inference request or answer ends, and its binary tensors begin.
  static let inferenceHeaderLength = Self("Inference-Header-Content-Length") ?? .contentLength
}

extension Problem {
  static func bodyTooLarge(_ limit: Int) -> Problem {
    Problem(413, "BODY_TOO_LARGE", "the body is larger than \(limit) bytes", remedy: "split the request")
  }
}
