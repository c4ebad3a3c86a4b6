internal import Core
internal import NIOCore

extension FeatureServer {
  /// `POST /get-online-features`.
  func onlineFeatures(_ body: ByteBuffer, deadline: NIODeadline) async throws(Problem) -> Reply {
    let bytes = body.readableBytesUInt8Span
    var request = FeatureRequest()
    try request.parse(bytes, limits: configuration.limits)
    let shape = try shapes.shape(of: request, in: bytes)
    var answer = FeatureAnswer(catalog: catalog, source: features)
    try answer.begin(request, in: bytes, shape: shape)
    if !request.minimumOffsets.isEmpty { try await wait(for: request, deadline: deadline) }
    if !fitsOnEventLoop(answer) {
      return try await withTaskExecutorPreference(globalConcurrentExecutor) {
        () async throws(Problem) in try read(&answer, request, deadline)
      }
    }
    return try read(&answer, request, deadline)
  }

  /// Answers a read that is small and waits for nothing, in `workspace.wire`. On an event loop.
  ///
  /// - Returns: false when it is not such a read, or when there is any problem with it: then nothing was done yet, and
  ///   `onlineFeatures` finds out the same again and says it.
  func answerAtOnce(_ body: ByteBuffer, started: NIODeadline, _ workspace: ReadWorkspace) -> Bool {
    let bytes = body.readableBytesUInt8Span
    do throws(Problem) {
      try admission.admit(queuedMilliseconds: 0)
      try workspace.request.parse(bytes, limits: configuration.limits)
      guard workspace.request.minimumOffsets.isEmpty else { return false }
      let shape = try shapes.shape(of: workspace.request, in: bytes)
      try workspace.answer.begin(workspace.request, in: bytes, shape: shape)
      guard fitsOnEventLoop(workspace.answer) else { return false }
      let deadline = started + .milliseconds(configuration.admission.deadlineMilliseconds)
      try workspace.answer.readAll(at: workspace.request.time, isOver: { NIODeadline.now() > deadline })
    } catch {
      return false
    }
    workspace.text.clear()
    let counts = workspace.answer.write(to: &workspace.text, hasAdditions: workspace.request.usesAdditions)
    counters.add(counts, rows: workspace.answer.rowCount)
    let now = clock.nowMilliseconds
    workspace.frame(nowMilliseconds: now) { date.text(milliseconds: now) }
    return true
  }

  private func fitsOnEventLoop(_ answer: borrowing FeatureAnswer) -> Bool {
    answer.rowCount * answer.shape.reads.count <= configuration.admission.rowsOnEventLoop
  }

  private func read(
    _ answer: inout FeatureAnswer, _ request: FeatureRequest, _ deadline: NIODeadline
  ) throws(Problem) -> Reply {
    try answer.readAll(at: request.time, isOver: { NIODeadline.now() > deadline })
    var text = ByteBuffer()
    let counts = answer.write(to: &text, hasAdditions: request.usesAdditions)
    counters.add(counts, rows: answer.rowCount)
    return .json(text)
  }

  private func wait(for request: FeatureRequest, deadline: NIODeadline) async throws(Problem) {
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
