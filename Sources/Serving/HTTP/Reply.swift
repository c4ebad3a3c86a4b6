internal import NIOCore

/// An answer before it is put on the wire.
struct Reply {
  enum ContentType: String {
    case json = "application/json"
    case problem = "application/problem+json"
    case html = "text/html; charset=utf-8"
    case css = "text/css; charset=utf-8"
    case script = "text/javascript; charset=utf-8"
    case svg = "image/svg+xml"
    case octets = "application/octet-stream"
    case metrics = "text/plain; version=0.0.4; charset=utf-8"
    case openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
  }

  var status: Int
  /// Nil with an empty body.
  var contentType: ContentType?
  var body = ByteBuffer()
  /// When to ask again, of 429 and 503.
  var retryAfterSeconds: Int?
  /// Of 405: what the address does take.
  var allow: String?
  /// Where pushed records went: `topic:partition:offset`, as `min_offset` takes them.
  var offsets: String?

  /// Whatever else belongs into the head.
  var headers: [(name: String, value: String)] = []

  /// How long the JSON in front of binary tensors is.
  var inferenceHeaderBytes: Int?

  init(status: Int, contentType: ContentType? = nil, body: ByteBuffer = ByteBuffer()) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  static func json(_ body: ByteBuffer, status: Int = 200) -> Reply {
    Reply(status: status, contentType: .json, body: body)
  }
}
