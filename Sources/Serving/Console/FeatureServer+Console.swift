internal import Hummingbird
internal import HummingbirdCore

extension FeatureServer {
  /// A file of the console; 304 for who has it already.
  func console(_ file: ConsoleFiles.File, _ request: Request) -> Reply {
    guard request.method == .get || request.method == .head else {
      var reply = Problem(405, "WRONG_METHOD", "the console takes GET, not \(request.method.rawValue)").reply(on: nil)
      reply.allow = "GET"
      return reply
    }
    let isKnown = request.headers[.ifNoneMatch].map { $0 == "*" || $0.contains(file.tag) } ?? false
    var reply = isKnown ? Reply(status: 304) : Reply(status: 200, contentType: file.contentType, body: file.body)
    reply.headers = [
      ("ETag", file.tag), ("Cache-Control", "no-cache"), ("Content-Security-Policy", ConsoleFiles.policy),
      ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    return reply
  }
}
