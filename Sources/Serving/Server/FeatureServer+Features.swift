internal import Core
internal import NIOCore

extension FeatureServer {
  /// `POST /get-online-features`.
  ///
  /// - Parameter authorization: the caller's, for workers that have some of the keys.
  func onlineFeatures(
    _ body: ByteBuffer, authorization: String? = nil, deadline: NIODeadline
  ) async throws(Problem) -> Reply {
    let bytes = body.readableBytesUInt8Span
    var request = FeatureRequest()
    try request.parse(bytes, limits: configuration.limits)
    let offer = offer
    let shape = try offer.shapes.shape(of: request, in: bytes)
    var answer = FeatureAnswer(catalog: offer.catalog, source: offer.features)
    try answer.begin(request, in: bytes, shape: shape)
    offer.chooseSample(&answer, at: .now())
    let errand = PeerReads.Errand(
      catalog: offer.catalog, time: request.time, authorization: authorization, deadline: deadline)
    if !request.minimumOffsets.isEmpty { try await wait(for: request, offer.features, errand) }
    do throws(Problem) {
      guard answer.readCount > configuration.admission.rowsOnEventLoop else {
        return try read(&answer, request, offer, deadline)
      }
      return try await withTaskExecutorPreference(globalConcurrentExecutor) {
        () async throws(Problem) in try read(&answer, request, offer, deadline)
      }
    } catch {
      return try await gather(after: error, offer, errand) { [request] source throws(Problem) in
        var answer = FeatureAnswer(catalog: offer.catalog, source: source)
        try answer.begin(request, in: body.readableBytesUInt8Span, shape: shape)
        return try read(&answer, request, offer, deadline)
      }
    }
  }

  /// Answers a read that is small and waits for nothing, in `memory.frame.wire`. On an event loop.
  ///
  /// - Returns: false when it is not such a read, or when there is any problem with it: then nothing was done yet, and
  ///   `onlineFeatures` finds out the same again and says it.
  func answerAtOnce(_ body: ByteBuffer, started: NIODeadline, _ memory: inout ReadMemory) -> Bool {
    let bytes = body.readableBytesUInt8Span
    do throws(Problem) {
      try admission.admit(queuedMilliseconds: 0)
      try memory.request.parse(bytes, limits: configuration.limits)
      guard memory.request.minimumOffsets.isEmpty else { return false }
      let offer = offer
      memory.take(offer)
      let shape = try offer.shapes.shape(of: memory.request, in: bytes)
      try memory.answer.begin(memory.request, in: bytes, shape: shape)
      guard memory.answer.readCount <= configuration.admission.rowsOnEventLoop else { return false }
      offer.chooseSample(&memory.answer, at: started)
      let deadline = started + .milliseconds(configuration.admission.deadlineMilliseconds)
      try memory.answer.readAll(at: memory.request.time, isOver: { NIODeadline.now() > deadline })
    } catch {
      return false
    }
    memory.text.clear()
    let counts = memory.answer.write(to: &memory.text, hasAdditions: memory.request.usesAdditions)
    counters.add(counts, rows: memory.answer.rowCount)
    memory.countReads(receivedBytes: body.readableBytes)
    let now = clock.nowMilliseconds
    memory.takeSample(nowMilliseconds: now)
    memory.frame.frame(memory.text, as: .json, nowMilliseconds: now) { date.text(milliseconds: now) }
    return true
  }

  private func read(
    _ answer: inout FeatureAnswer, _ request: FeatureRequest, _ offer: Offer, _ deadline: NIODeadline
  ) throws(Problem) -> Reply {
    try answer.readAll(at: request.time, isOver: { NIODeadline.now() > deadline })
    var text = ByteBuffer()
    let counts = answer.write(to: &text, hasAdditions: request.usesAdditions)
    counters.add(counts, rows: answer.rowCount)
    offer.reads.served(answer.shape, rows: answer.rowCount)
    offer.takeSample(answer, nowMilliseconds: clock.nowMilliseconds)
    return .json(text)
  }

  private func wait(
    for request: FeatureRequest, _ features: any OnlineFeatureSource, _ errand: PeerReads.Errand
  ) async throws(Problem) {
    let left = (errand.deadline - NIODeadline.now()).nanoseconds / 1_000_000
    let milliseconds = min(request.waitMilliseconds ?? left, left)
    try admission.beginWaiting()
    defer { admission.endWaiting() }
    do throws(OnlineReadError) {
      try await wait(for: request.minimumOffsets, milliseconds: max(milliseconds, 0), features, errand)
    } catch {
      throw Problem(error, view: "min_offset")
    }
  }
}
