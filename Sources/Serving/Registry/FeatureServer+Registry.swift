internal import Core
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import Registry

extension FeatureServer {
  private static let decisionBytesMax = 16_384

  /// Answers an address of the registry; errors are problems (RFC 9457).
  func registryReply(
    to route: RegistryRoute, _ request: Request, queuedMilliseconds: Int64
  ) async -> Reply {
    do throws(Problem) {
      let method: HTTPRequest.Method = route.isPost ? .post : .get
      guard request.method == method || (method == .get && request.method == .head) else {
        throw Problem(405, "WRONG_METHOD", "this address takes \(method.rawValue), not \(request.method.rawValue)")
      }
      guard let registry else { throw Problem(404, "NO_REGISTRY", "this server has no registry") }
      try admission.admit(queuedMilliseconds: queuedMilliseconds)
      if case .decide(let id, let verdict) = route {
        return try await decide(id, verdict, request, registry)
      }
      let state = try Problem.catching { try registry.registry() }
      switch route {
      case .evidence(let id): return try Self.evidence(id, state, registry)
      case .result(let id): return try await take(id, state, request, registry)
      default: break
      }
      var writer = JSONWriter()
      try route.write(state, to: &writer)
      return .json(ByteBuffer(bytes: writer.bytes))
    } catch {
      var reply = error.reply(on: nil)
      if error.status == 405 { reply.allow = route.isPost ? "POST" : "GET" }
      return reply
    }
  }

  private static func evidence(
    _ id: String, _ state: RegistryState, _ registry: any RegistrySource
  ) throws(Problem) -> Reply {
    guard let retraining = state.retrainings[id] else { throw .refused(.retrainingUnknown, place: id) }
    guard let page = registry.evidence(retraining, state) else {
      throw Problem(404, "NO_EVIDENCE", "this server makes no page", place: id)
    }
    return Reply(status: 200, contentType: .html, body: ByteBuffer(string: page))
  }

  /// The file itself is the body; it is looked into and measured as any other model before anything follows from it.
  private func take(
    _ id: String, _ state: RegistryState, _ request: Request, _ registry: any RegistrySource
  ) async throws(Problem) -> Reply {
    guard let retraining = state.retrainings[id] else { throw .refused(.retrainingUnknown, place: id) }
    try checkHeaders(request, bodyBytes: Self.modelBytesMax)
    try checkOrigin(request)
    let body = try await body(of: request, bytesMaximum: Self.modelBytesMax)
    let hash: String?
    do {
      hash = try await registry.take(Array(body.readableBytesView), of: retraining)
    } catch {
      throw Problem.of(error)
    }
    guard let hash else { throw Problem(404, "NO_RETRAINING", "this server takes no models", place: id) }
    var writer = JSONWriter()
    writer.object { json in
      json.member("retraining", id)
      json.member("content_hash", hash)
    }
    return .json(ByteBuffer(bytes: writer.bytes))
  }

  /// Larger ones come by `headrace models publish --retraining`.
  private static let modelBytesMax = 256 << 20

  /// `{"by": "ada", "reason": "…"}`: who decides has to be said, and is kept.
  private func decide(
    _ id: String, _ verdict: ApprovalVerdict, _ request: Request, _ registry: any RegistrySource
  ) async throws(Problem) -> Reply {
    try checkHeaders(request, bodyBytes: Self.decisionBytesMax)
    try checkOrigin(request)
    let body = try await body(of: request, bytesMaximum: Self.decisionBytesMax)
    let document = try? JSONDocument(Array(body.readableBytesView), depthMax: 4)
    guard let actor = document?["by"]?.string, !actor.isEmpty, actor.utf8.count <= RegistryLimits.textBytes else {
      throw .invalidBody("missing", ["by"], "expected who decides, as {\"by\": \"NAME\", \"reason\": \"TEXT\"}")
    }
    let reason = document?["reason"]?.string ?? ""
    guard reason.utf8.count <= RegistryLimits.textBytes, verdict == .approved || !reason.isEmpty else {
      throw .invalidBody("missing", ["reason"], "expected why, in at most \(RegistryLimits.textBytes) bytes")
    }
    let command = RegistryCommand(
      actor: actor, reason: reason, change: .decideApproval(id: id, verdict: verdict))
    let outcome: RegistryOutcome
    do {
      outcome = try await registry.send(command)
    } catch {
      throw Problem.of(error)
    }
    if case .refused(let refusal) = outcome { throw Problem.refused(refusal, place: id) }
    var writer = JSONWriter()
    writer.object { json in
      json.member("approval", id)
      json.member("status", verdict.rawValue)
      json.member("by", actor)
    }
    return .json(ByteBuffer(bytes: writer.bytes))
  }
}

extension RegistryRoute {
  fileprivate func write(_ state: RegistryState, to json: inout JSONWriter) throws(Problem) {
    switch self {
    case .registeredModels:
      json.array { array in
        for model in state.models.values.sorted(by: { $0.name < $1.name }) { model.writeSummary(to: &array) }
      }
    case .model(let name, let selector):
      guard let model = state[name] else {
        let nearest = NearestName.of(name, in: state.models.keys.sorted())
        throw .refused(.modelUnknown(nearest: nearest), place: name)
      }
      guard let selector else { return state.write(model, to: &json) }
      guard let number = Int(selector) ?? model.aliases[selector]?.version else {
        throw .refused(.aliasUnknown, place: "\(name)@\(selector)")
      }
      guard number > 0, number <= model.versions.count else {
        throw .refused(.versionUnknown(number, count: model.versions.count), place: name)
      }
      state.write(model.versions[number - 1], of: model, to: &json)
    case .runs(let experiment):
      json.array { array in for run in state.runs(experiment: experiment) { run.write(to: &array) } }
    case .run(let id):
      guard let run = state.runs[id] else { throw .refused(.runUnknown(id), place: id) }
      run.write(to: &json)
    case .retrainings:
      json.array { array in for retraining in state.retrainings() { state.write(retraining, to: &array) } }
    case .retraining(let id):
      guard let retraining = state.retrainings[id] else { throw .refused(.retrainingUnknown, place: id) }
      state.write(retraining, to: &json)
    case .approvals:
      json.array { array in for approval in state.approvals() { approval.write(to: &array) } }
    case .approval(let id):
      guard let approval = state.approvals[id] else { throw .refused(.approvalUnknown, place: id) }
      approval.write(to: &json)
    case .decide, .evidence, .result: break
    }
  }
}

extension Problem {
  /// 404 for what is not there, 403 for who may not, 409 for what somebody else has done meanwhile.
  fileprivate static func refused(_ refusal: RegistryRefusal, place: String) -> Problem {
    let error = refusal.error(place: place)
    let status =
      switch refusal {
      case .modelUnknown, .versionUnknown, .aliasUnknown, .runUnknown, .approvalUnknown, .retrainingUnknown: 404
      case .ownRequest: 403
      default: 409
      }
    return Problem(status, error.code, error.message, place: place, remedy: error.remedy)
  }

  fileprivate static func of(_ error: any Error) -> Problem {
    if let error = error as? HeadraceError { return .failed(error) }
    return Problem(503, "REGISTRY_UNREADABLE", "\(error)", retryAfterSeconds: 1)
  }

  fileprivate static func catching<Value>(_ body: () throws -> Value) throws(Problem) -> Value {
    do {
      return try body()
    } catch {
      throw .of(error)
    }
  }
}
