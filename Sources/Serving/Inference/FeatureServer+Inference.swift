internal import Core
internal import Hummingbird
internal import HummingbirdCore
internal import Inference
internal import NIOCore

extension FeatureServer {
  /// Larger matrices leave the event loop, so that one large request does not delay many small ones.
  private static let valuesOnEventLoop = 4_096

  /// Answers an address of the Open Inference Protocol; errors are in its shape.
  func inferenceReply(
    to route: InferenceRoute, _ request: Request, queuedMilliseconds: Int64
  ) async -> Reply {
    do throws(Problem) {
      let method: HTTPRequest.Method = route.isInfer ? .post : .get
      guard request.method == method || (method == .get && request.method == .head) else {
        throw Problem(405, "WRONG_METHOD", "this address takes \(method.rawValue), not \(request.method.rawValue)")
      }
      if !route.isExemptFromAdmission { try admission.admit(queuedMilliseconds: queuedMilliseconds) }
      return try await inferenceAnswer(to: route, request)
    } catch {
      var body = ByteBuffer()
      body.write("{\"error\":")
      body.writeQuoted(error.remedy.map { "\(error.message) (\($0))" } ?? error.message)
      body.write("}")
      var reply = Reply.json(body, status: error.status)
      reply.retryAfterSeconds = error.retryAfterSeconds
      if error.status == 405 { reply.allow = route.isInfer ? "POST" : "GET" }
      return reply
    }
  }

  private func inferenceAnswer(to route: InferenceRoute, _ request: Request) async throws(Problem) -> Reply {
    let models = offer.models
    switch route {
    case .server:
      return .json(
        ByteBuffer(string: #"{"name":"headrace","version":"2","extensions":["binary_tensor_data"]}"#))
    case .live: return .json(ByteBuffer(string: #"{"live":true}"#))
    case .ready: return .json(ByteBuffer(string: #"{"ready":true}"#))
    case .modelReady(let name, let version):
      let entry = try models.entry(name, version: version)
      var body = ByteBuffer()
      body.write("{\"name\":")
      body.writeQuoted(entry.name)
      body.write(",\"ready\":true}")
      return .json(body)
    case .model(let name, let version): return .json(Self.metadata(try models.entry(name, version: version)))
    case .infer(let name, let version): return try await infer(try models.entry(name, version: version), request)
    }
  }

  private static func metadata(_ entry: ServedModels.Entry) -> ByteBuffer {
    let model = entry.compiled.model
    var body = ByteBuffer()
    body.write("{\"name\":")
    body.writeQuoted(entry.name)
    body.write(",\"versions\":[")
    body.writeQuoted(entry.version)
    body.write("],\"platform\":")
    body.writeQuoted("headrace_\(model.format.rawValue)")
    body.write(",\"inputs\":[{\"name\":\"features\",\"datatype\":\"FP32\",\"shape\":[-1,")
    body.writeDecimal(Int64(model.featureCount))
    body.write("]}],\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP64\",\"shape\":[-1")
    if model.outputCount > 1 {
      body.write(",")
      body.writeDecimal(Int64(model.outputCount))
    }
    body.write("]}]}")
    return body
  }

  private func infer(_ entry: ServedModels.Entry, _ request: Request) async throws(Problem) -> Reply {
    try checkHeaders(request, bodyBytes: configuration.limits.inferenceBodyBytes)
    var jsonBytes: Int?
    if let text = request.headers[.inferenceHeaderLength] {
      guard let count = Int(text) else { throw .inference("Inference-Header-Content-Length is `\(text)`") }
      jsonBytes = count
    }
    let body = try await body(of: request, bytesMaximum: configuration.limits.inferenceBodyBytes)
    let parsed = try InferenceRequest(
      body.readableBytesUInt8Span, jsonBytes: jsonBytes, featureCount: entry.compiled.model.featureCount,
      depthMax: configuration.limits.jsonDepth)
    if parsed.values.count > Self.valuesOnEventLoop {
      return await withTaskExecutorPreference(globalConcurrentExecutor) { Self.score(parsed, entry) }
    }
    return Self.score(parsed, entry)
  }

  private static func score(_ request: InferenceRequest, _ entry: ServedModels.Entry) -> Reply {
    var scores = [Double](repeating: 0, count: request.rowCount * entry.compiled.model.outputCount)
    var scorer = entry.compiled.makeScorer()
    scorer.score(request.values, rowCount: request.rowCount, into: &scores)
    return answer(request, entry, scores)
  }

  private static func answer(_ request: InferenceRequest, _ entry: ServedModels.Entry, _ scores: [Double]) -> Reply {
    let outputCount = entry.compiled.model.outputCount
    var body = ByteBuffer()
    body.write("{\"model_name\":")
    body.writeQuoted(entry.name)
    body.write(",\"model_version\":")
    body.writeQuoted(entry.version)
    if let id = request.id {
      body.write(",\"id\":")
      body.writeQuoted(id)
    }
    body.write(",\"outputs\":[{\"name\":")
    body.writeQuoted(request.outputName)
    body.write(",\"datatype\":\"FP64\",\"shape\":[")
    body.writeDecimal(Int64(request.rowCount))
    if outputCount > 1 {
      body.write(",")
      body.writeDecimal(Int64(outputCount))
    }
    guard request.hasBinaryOutput else {
      body.write("],\"data\":[")
      for index in scores.indices {
        if index > 0 { body.write(",") }
        if scores[index].isFinite { body.writeDouble(scores[index]) } else { body.write("null") }
      }
      body.write("]}]}")
      return .json(body)
    }
    body.write("],\"parameters\":{\"binary_data_size\":")
    body.writeDecimal(Int64(scores.count * 8))
    body.write("}}]}")
    let jsonBytes = body.readableBytes
    for score in scores { body.writeInteger(score.bitPattern, endianness: .little) }
    var reply = Reply(status: 200, contentType: .octets, body: body)
    reply.inferenceHeaderBytes = jsonBytes
    return reply
  }
}
