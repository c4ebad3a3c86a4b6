internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

extension FeatureServer {
  /// `GET /api/session`: who the caller is, and what they may do.
  func session(_ request: Request) -> Reply {
    do throws(Problem) {
      let session = try access.session(AccessGate.Visitor(request))
      return .json(
        JSONDocumentWriter.object { json in
          json.member("mode", session.mode.rawValue)
          json.member("reading", session.reading.rawValue)
          json.member("principal", session.principal)
          json.strings("roles", session.roles.map(\.rawValue))
          json.member("reason", session.reason)
        })
    } catch {
      return error.reply(on: nil)
    }
  }
}
