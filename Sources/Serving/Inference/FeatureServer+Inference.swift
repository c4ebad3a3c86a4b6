internal import Core
internal import Cost
internal import Hummingbird
internal import HummingbirdCore
internal import Inference
internal import NIOCore
internal import Runtime

extension FeatureServer {
  private static let inferenceBytesOnEventLoop = 128 << 10
  /// Of models whose features may have to be looked up: some dozens of keys.
  private static let lookupBytesOnEventLoop = 4 << 10

  /// Larger requests leave the event loop, so that one of them does not delay many small ones.
  private func fitsEventLoop(_ body: ByteBuffer, _ model: ServedModel) -> Bool {
    let limit = model.lookup == nil ? Self.inferenceBytesOnEventLoop : Self.lookupBytesOnEventLoop
    return body.readableBytes <= limit
  }

  /// Answers an address of the Open Inference Protocol; errors are in its shape.
  func inferenceReply(
    to route: InferenceRoute, _ request: Request, queuedMilliseconds: Int64
  ) async -> Reply {
    do throws(Problem) {
      let method: HTTPRequest.Method = route.isPost ? .post : .get
      guard request.method == method || (method == .get && request.method == .head) else {
        throw Problem(405, "WRONG_METHOD", "this address takes \(method.rawValue), not \(request.method.rawValue)")
      }
      if !route.isExemptFromAdmission { try admission.admit(queuedMilliseconds: queuedMilliseconds) }
      return try await inferenceAnswer(to: route, request, queuedMilliseconds: queuedMilliseconds)
    } catch {
      var body = ByteBuffer()
      body.write("{\"error\":")
      body.writeQuoted(error.remedy.map { "\(error.message) (\($0))" } ?? error.message)
      body.write("}")
      var reply = Reply.json(body, status: error.status)
      reply.retryAfterSeconds = error.retryAfterSeconds
      if error.status == 405 { reply.allow = route.isPost ? "POST" : "GET" }
      return reply
    }
  }

  private func inferenceAnswer(
    to route: InferenceRoute, _ request: Request, queuedMilliseconds: Int64
  ) async throws(Problem) -> Reply {
    let models = offer.models
    switch route {
    case .server:
      return .json(
        ByteBuffer(
          string: #"{"name":"headrace","version":"2","extensions":["binary_tensor_data","model_repository"]}"#))
    case .live: return .json(ByteBuffer(string: #"{"live":true}"#))
    case .ready: return .json(ByteBuffer(string: #"{"ready":true}"#))
    case .repositoryIndex: return .json(InferenceAnswer.index(models))
    case .modelReady(let name, let version):
      let model = try models.model(name, version: version)
      var body = ByteBuffer()
      body.write("{\"name\":")
      body.writeQuoted(model.name)
      body.write(",\"ready\":true}")
      return .json(body)
    case .model(let name, let version):
      let model = try models.model(name, version: version)
      let versions = version == nil ? try models.family(name).versionNames : [model.version]
      return .json(InferenceAnswer.metadata(model, versions: versions))
    case .infer(let name, let version):
      return try await infer(
        try models.model(name, version: version), request, queuedMilliseconds: queuedMilliseconds)
    }
  }

  private func infer(
    _ model: ServedModel, _ request: Request, queuedMilliseconds: Int64
  ) async throws(Problem) -> Reply {
    let deadline =
      NIODeadline.now() + .milliseconds(configuration.admission.deadlineMilliseconds &- queuedMilliseconds)
    try checkHeaders(request, bodyBytes: configuration.limits.inferenceBodyBytes)
    var jsonBytes: Int?
    if let text = request.headers[.inferenceHeaderLength] {
      guard let count = Int(text) else { throw .inference("Inference-Header-Content-Length is `\(text)`") }
      jsonBytes = count
    }
    let body = try await body(of: request, bytesMaximum: configuration.limits.inferenceBodyBytes)
    let offer = offer
    do throws(Problem) {
      if fitsEventLoop(body, model) {
        return try reply(model, body, jsonBytes: jsonBytes, offer, offer.features, deadline)
      }
      return try await withTaskExecutorPreference(globalConcurrentExecutor) { [jsonBytes] () async throws(Problem) in
        try reply(model, body, jsonBytes: jsonBytes, offer, offer.features, deadline)
      }
    } catch {
      let errand = PeerReads.Errand(
        catalog: offer.catalog, time: .now, authorization: request.headers[.authorization], deadline: deadline)
      return try await gather(after: error, offer, errand) { [jsonBytes] source throws(Problem) in
        try reply(model, body, jsonBytes: jsonBytes, offer, source, deadline)
      }
    }
  }

  private func reply(
    _ model: ServedModel, _ body: ByteBuffer, jsonBytes: Int?, _ offer: Offer, _ source: any OnlineFeatureSource,
    _ deadline: NIODeadline
  ) throws(Problem) -> Reply {
    try model.withMemory { (memory) throws(Problem) in
      try score(model, body, jsonBytes: jsonBytes, offer, source, deadline, memory)
      var text = ByteBuffer()
      let headerBytes = InferenceAnswer.write(memory, model, to: &text)
      guard let headerBytes else { return .json(text) }
      var reply = Reply(status: 200, contentType: .octets, body: text)
      reply.inferenceHeaderBytes = headerBytes
      return reply
    }
  }

  /// From the bytes of a request to scores in `memory`.
  ///
  /// - Parameter source: where features are looked up.
  private func score(
    _ model: ServedModel, _ body: ByteBuffer, jsonBytes: Int?, _ offer: Offer, _ source: any OnlineFeatureSource,
    _ deadline: NIODeadline, _ memory: ScoringMemory
  ) throws(Problem) {
    let bytes = body.readableBytesUInt8Span
    try memory.request.parse(bytes, jsonBytes: jsonBytes, depthMax: configuration.limits.jsonDepth)
    try memory.request.takeBackground(bytes, featureCount: model.compiled.model.featureCount)
    if let lookup = model.lookup, EntityInputs.isMeant(by: memory.request, lookup, in: bytes) {
      try EntityInputs.read(
        &memory.request, lookup, in: bytes, offer: offer, source: source, limits: configuration.limits,
        isOver: { NIODeadline.now() > deadline })
    } else {
      try memory.request.readMatrix(bytes, featureCount: model.compiled.model.featureCount)
    }
    guard NIODeadline.now() <= deadline else { throw .deadlineExceeded }
    let began = ThreadCPU.currentNanoseconds
    memory.score()
    offer.reads.scored(
      model.name, rows: memory.request.rowCount, nanoseconds: ThreadCPU.currentNanoseconds &- began)
    if memory.request.isExplained { memory.explain(by: try model.explainable(background: memory.request.background)) }
  }

  /// Answers a request that came through a topic; its body is one of the protocol, or a flat record of features.
  ///
  /// - Parameter round: of requests that are answered together.
  /// - Returns: the answer, and how long the JSON in front of its binary tensors is; nil without any.
  func answer(
    model name: String, _ body: ByteBuffer, jsonBytes: Int?, _ round: Round
  ) throws(Problem) -> (body: ByteBuffer, jsonBytes: Int?) {
    let offer = round.offer
    let model = try offer.models.current(name)
    var body = body
    if jsonBytes == nil, FeatureRecord.isMeant(by: body) {
      body = try FeatureRecord.request(body, model, depthMax: configuration.limits.jsonDepth)
    }
    let deadline = NIODeadline.now() + .milliseconds(configuration.admission.deadlineMilliseconds)
    let request = body
    round.gathered?.begin()
    let source: any OnlineFeatureSource = round.gathered ?? offer.features
    return try model.withMemory { (memory) throws(Problem) in
      try score(model, request, jsonBytes: jsonBytes, offer, source, deadline, memory)
      var text = ByteBuffer()
      let length = InferenceAnswer.write(memory, model, to: &text)
      return (text, length)
    }
  }

  /// Answers a small inference request, in `memory.frame.wire`. On an event loop.
  ///
  /// - Returns: false when there is any problem with it: then `inferenceReply` finds out the same again and says it.
  func inferAtOnce(
    _ address: String, jsonBytes: String?, _ body: ByteBuffer, started: NIODeadline, _ memory: inout InferenceMemory
  ) -> Bool {
    let offer = offer
    guard let model = memory.model(at: address, of: offer), fitsEventLoop(body, model) else { return false }
    let length = jsonBytes.flatMap { Int($0) }
    guard length != nil || jsonBytes == nil else { return false }
    do throws(Problem) {
      try admission.admit(queuedMilliseconds: 0)
      let deadline = started + .milliseconds(configuration.admission.deadlineMilliseconds)
      memory.text.clear()
      let headerBytes = try model.withMemory { (scoring) throws(Problem) in
        try score(model, body, jsonBytes: length, offer, offer.features, deadline, scoring)
        return InferenceAnswer.write(scoring, model, to: &memory.text)
      }
      let now = clock.nowMilliseconds
      memory.frame.frame(
        memory.text, as: headerBytes == nil ? .json : .octets, inferenceHeaderBytes: headerBytes, nowMilliseconds: now
      ) { date.text(milliseconds: now) }
    } catch {
      return false
    }
    return true
  }
}

/// What one event loop's inference requests share: those that are answered at once never overlap on it.
struct InferenceMemory {
  /// The body of the answer.
  var text = ByteBuffer()
  var frame = ResponseFrame()
  /// Where the last request went: applications ask the same model all day.
  private var address = ""
  private var model: ServedModel?
  private var offer: Offer?

  /// The model behind an address that asks for inference; nil for any other, and for what is not served.
  mutating func model(at address: String, of offer: Offer) -> ServedModel? {
    if address == self.address, offer === self.offer { return model }
    guard case .infer(let name, let version) = InferenceRoute(path: address) else { return nil }
    self.address = address
    self.offer = offer
    model = try? offer.models.model(name, version: version)
    return model
  }
}
