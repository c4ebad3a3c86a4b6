internal import NIOCore

extension FeatureServer {
  func push(_ route: Route, _ body: ByteBuffer, deadline: NIODeadline) async throws(Problem) -> Reply {
    throw Problem(403, "READ_ONLY", "this server takes no events")
  }
}
