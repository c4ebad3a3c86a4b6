internal import NIOCore

extension FeatureServer {
  /// `POST /get-online-features`.
  func onlineFeatures(_ body: ByteBuffer, deadline: NIODeadline) async throws(Problem) -> Reply {
    let bytes = body.readableBytesUInt8Span
    let request = try FeatureRequest(bytes, limits: configuration.limits)
    let offer = offer
    let shape = try offer.shapes.shape(of: request, in: bytes)
    var answer = try FeatureAnswer(request, in: bytes, shape: shape, catalog: offer.catalog, source: offer.features)
    if !request.minimumOffsets.isEmpty { try await wait(for: request, offer.features, deadline: deadline) }
    if answer.rowCount * shape.reads.count > configuration.admission.rowsOnEventLoop {
      return try await withTaskExecutorPreference(globalConcurrentExecutor) {
        () async throws(Problem) in try read(&answer, request, deadline)
      }
    }
    return try read(&answer, request, deadline)
  }

  private func read(
    _ answer: inout FeatureAnswer, _ request: FeatureRequest, _ deadline: NIODeadline
  ) throws(Problem) -> Reply {
    try answer.readAll(
      at: request.time, hasAdditions: request.usesAdditions, isOver: { NIODeadline.now() > deadline })
    let (body, counts) = answer.write(hasAdditions: request.usesAdditions)
    counters.add(counts, rows: answer.rowCount)
    return .json(body)
  }

  private func wait(
    for request: FeatureRequest, _ features: any OnlineFeatureSource, deadline: NIODeadline
  ) async throws(Problem) {
    let left = (deadline - NIODeadline.now()).nanoseconds / 1_000_000
    let milliseconds = min(request.waitMilliseconds ?? left, left)
    try admission.beginWaiting()
    defer { admission.endWaiting() }
    do throws(OnlineReadError) {
      try await features.wait(for: request.minimumOffsets, milliseconds: max(milliseconds, 0))
    } catch {
      throw Problem(error, view: "min_offset")
    }
  }
}
