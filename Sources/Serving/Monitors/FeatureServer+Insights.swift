internal import Core
internal import Cost
internal import Hummingbird
internal import HummingbirdCore
internal import Monitoring
internal import NIOCore
internal import Topology

extension FeatureServer {
  /// How much of a history one answer has: what a person looks at.
  private static let windowsMax = 60
  private static let findingsMax = 100
  /// Thousands of years: times far from any event.
  private static let times: ClosedRange<Int64> = 0...100_000_000_000_000

  /// Answers an address of monitors and explanations; errors are problems (RFC 9457).
  func insightReply(to route: InsightRoute, _ request: Request, queuedMilliseconds: Int64) async -> Reply {
    do throws(Problem) {
      let method: HTTPRequest.Method = route.isPost ? .post : .get
      guard request.method == method || (method == .get && request.method == .head) else {
        throw Problem(405, "WRONG_METHOD", "this address takes \(method.rawValue), not \(request.method.rawValue)")
      }
      try admission.admit(queuedMilliseconds: queuedMilliseconds)
      if route == .costReport { return costReport() }
      guard let insights else {
        throw Problem(404, "NO_MONITORS", "this server runs no topology", remedy: "ask a process of `run` or `dev`")
      }
      switch route {
      case .monitors:
        return .json(MonitorReplies(plan: insights.plan, figures: status.report().monitors).list())
      case .history(let name): return try await history(of: name, insights)
      case .acknowledge(let name): return try await acknowledge(name, request, insights)
      case .silence(let name): return try await silence(name, request, insights)
      case .explain(let question): return try await explain(question, insights)
      case .costReport: return costReport()
      }
    } catch {
      var reply = error.reply(on: nil)
      if error.status == 405 { reply.allow = route.isPost ? "POST" : "GET" }
      return reply
    }
  }

  private func history(of name: String, _ insights: any InsightSource) async throws(Problem) -> Reply {
    let monitor = try Self.monitor(name, insights.plan)
    let model = insights.plan.models[monitor.model].name
    let history: DriftHistory?
    do {
      history = try await insights.history(monitor: name, model: model)
    } catch {
      throw .ofInsight(error)
    }
    guard let history else {
      throw Problem(
        404, "NO_TABLES", "this process keeps no tables, so what monitors found before is nowhere", place: name,
        remedy: "start it with --tables, or read the topic headrace.drift")
    }
    return .json(ByteBuffer(bytes: history.newest(windows: Self.windowsMax, findings: Self.findingsMax).json))
  }

  /// `{"at": 1700000000000, "reason": "…"}`: a time of events; without it now.
  private func acknowledge(
    _ name: String, _ request: Request, _ insights: any InsightSource
  ) async throws(Problem) -> Reply {
    let decision = try await decision(.operator, request, needsReason: true)
    _ = try Self.monitor(name, insights.plan)
    let at = try decision.integer("at", in: Self.times) ?? clock.nowMilliseconds
    try await tell(.acknowledge(atMilliseconds: at, reason: decision.reason), name, decision, insights)
    return Self.told(name, "acknowledge", decision)
  }

  /// `{"feature": "amount", "from": …, "until": …, "reason": "…"}`: times of events; without `feature` all of them.
  private func silence(
    _ name: String, _ request: Request, _ insights: any InsightSource
  ) async throws(Problem) -> Reply {
    let decision = try await decision(.operator, request, needsReason: true)
    _ = try Self.monitor(name, insights.plan)
    let from = try decision.integer("from", in: Self.times) ?? clock.nowMilliseconds
    guard let until = try decision.integer("until", in: Self.times), from < until else {
      throw .invalidBody("missing", ["until"], "expected when the silence ends, behind `from`, in epoch milliseconds")
    }
    let silence = Silence(
      feature: decision.body["feature"]?.string, startMilliseconds: from, endMilliseconds: until,
      reason: decision.reason)
    try await tell(.silence(silence), name, decision, insights)
    return Self.told(name, "silence", decision)
  }

  private func tell(
    _ command: MonitorCommand, _ monitor: String, _ decision: Decision, _ insights: any InsightSource
  ) async throws(Problem) {
    do {
      try await insights.tell(command, monitor: monitor, by: decision.actor)
    } catch {
      throw .ofInsight(error)
    }
  }

  private static func told(_ monitor: String, _ action: String, _ decision: Decision) -> Reply {
    .json(
      JSONDocumentWriter.object { json in
        json.member("monitor", monitor)
        json.member("action", action)
        json.member("by", decision.actor)
      })
  }

  private func explain(_ question: ExplainQuestion, _ insights: any InsightSource) async throws(Problem) -> Reply {
    guard let at = question.at.flatMap({ Int64($0) ?? RFC3339.milliseconds($0) }), Self.times.contains(at) else {
      throw .invalidBody("missing", ["at"], "expected the time to explain: epoch milliseconds, or RFC 3339")
    }
    guard !question.key.isEmpty else {
      throw .invalidBody("missing", ["key"], "expected the key, one `key=` for each join key")
    }
    let answer: [UInt8]?
    do {
      answer = try await insights.explain(
        view: question.view, key: question.key, atMilliseconds: at, features: question.features)
    } catch {
      throw .ofInsight(error)
    }
    guard let answer else {
      throw Problem(
        404, "NO_TABLES", "this process keeps no tables, and explanations are made from the archive",
        place: question.view, remedy: "start it with --tables")
    }
    return .json(ByteBuffer(bytes: answer))
  }

  private static func monitor(_ name: String, _ plan: Plan) throws(Problem) -> MonitorPlan {
    if let monitor = plan.monitors.first(where: { $0.name == name }) { return monitor }
    let nearest = NearestName.of(name, in: plan.monitors.map(\.name)).map { "; did you mean `\($0)`?" } ?? ""
    throw Problem(
      404, "MONITOR_NOT_FOUND", "there is no such monitor\(nearest)", place: name, remedy: "see /api/monitors")
  }

  /// `GET /api/cost/report`: usage with prices, where there are any, and what would cost less.
  private func costReport() -> Reply {
    guard let reading = status.cost() else {
      return Problem(404, "NO_COSTS", "this server counts no costs").reply(on: nil)
    }
    let advice = Advice.find(offer.featureUse, reading.curve, reading.usage)
    return .json(ByteBuffer(bytes: CostSummary(reading.usage, reading.priced, reading.curve, advice).json))
  }
}

extension Problem {
  fileprivate static func ofInsight(_ error: any Error) -> Problem {
    guard let error = error as? HeadraceError else {
      return Problem(503, "NOT_READABLE", "\(error)", retryAfterSeconds: 1)
    }
    var problem = Problem.failed(error)
    if error.code.hasPrefix("NO_SUCH_") || error.code.hasSuffix("_NOT_FOUND") { problem.status = 404 }
    return problem
  }
}
