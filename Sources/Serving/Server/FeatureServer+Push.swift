internal import NIOCore

extension FeatureServer {
  /// `POST /push` and `POST /write-to-online-store`.
  func push(_ route: Route, _ body: ByteBuffer, deadline: NIODeadline) async throws(Problem) -> Reply {
    guard let pushes = offer.pushes else {
      throw Problem(403, "READ_ONLY", "this server takes no events", remedy: "push to a worker")
    }
    let work: PushHandler.Work
    do throws(Problem) {
      work = try pushes.work(route, body.readableBytesUInt8Span)
    } catch {
      counters.refusedEvents.add()
      throw error
    }
    var offsets: [RecordOffset] = []
    if !work.records.isEmpty {
      try admission.beginWaiting()
      defer { admission.endWaiting() }
      let left = (deadline - NIODeadline.now()).nanoseconds / 1_000_000
      offsets = try await pushes.publish(work, timeoutMilliseconds: max(left, 1))
    }
    counters.pushedEvents.add(Int64(work.records.count))
    // Feast answers a push with nothing at all, a write with JSON's null.
    var reply = route == .push ? Reply(status: 200) : .json(ByteBuffer(string: "null"))
    if !offsets.isEmpty { reply.offsets = offsets.map(\.description).joined(separator: ",") }
    return reply
  }
}
