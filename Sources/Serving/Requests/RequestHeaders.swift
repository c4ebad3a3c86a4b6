internal import Core
internal import Kafka

/// What the headers of a request say. Names are those that request and reply over Kafka has in use; Spring Kafka's are
/// understood as well, and answered in kind.
struct RequestHeaders {
  /// The caller's own, and the header that it came in: both come back with the answer.
  var correlation: (name: String, value: [UInt8])?
  /// nil: the model's response topic.
  var replyTopic: String?
  /// Epoch milliseconds; nil: none.
  var deadlineMilliseconds: Int64?
  var traceparent: [UInt8]?
  /// Of a body with binary tensors: how long its JSON is.
  var jsonBytes: Int?

  static let correlationNames = ["correlation-id", "kafka_correlationId"]
  static let replyNames = ["reply-to", "kafka_replyTopic"]
  static let deadlineName = "deadline"
  static let jsonBytesName = "inference-header-content-length"
  /// What an answer is: `ok` or `error`.
  static let statusName = "headrace-status"
  /// Which record is answered: `topic/partition@offset`.
  static let sourceName = "headrace-src"

  /// - Throws: 400 for a deadline or a length that is none.
  init(_ record: borrowing ConsumedRecord) throws(Problem) {
    let headers = record.headers
    for name in Self.correlationNames where correlation == nil {
      correlation = Self.bytes(headers.last(name)).map { (name, $0) }
    }
    for name in Self.replyNames where replyTopic == nil { replyTopic = Self.text(headers.last(name)) }
    traceparent = Self.bytes(headers.last("traceparent"))
    if let text = Self.text(headers.last(Self.deadlineName)) {
      guard let deadline = Int64(text) ?? RFC3339.milliseconds(text) else {
        throw Problem(
          400, "INVALID_DEADLINE", "the header `\(Self.deadlineName)` is `\(text.prefix(100))`",
          remedy: "write epoch milliseconds, or a time such as 2026-01-31T12:00:00Z")
      }
      deadlineMilliseconds = deadline
    }
    if let text = Self.text(headers.last(Self.jsonBytesName)) {
      guard let count = Int(text) else {
        throw .inference("the header `\(Self.jsonBytesName)` is `\(text.prefix(100))`")
      }
      jsonBytes = count
    }
  }

  /// Of a request whose other headers are no use: what is needed to answer that.
  init(correlationOf record: borrowing ConsumedRecord) {
    let headers = record.headers
    for name in Self.correlationNames where correlation == nil {
      correlation = Self.bytes(headers.last(name)).map { (name, $0) }
    }
    for name in Self.replyNames where replyTopic == nil { replyTopic = Self.text(headers.last(name)) }
    traceparent = Self.bytes(headers.last("traceparent"))
  }

  private static func bytes(_ span: RawSpan?) -> [UInt8]? {
    guard let span else { return nil }
    return unsafe span.withUnsafeBytes { unsafe Array($0) }
  }

  private static func text(_ span: RawSpan?) -> String? { bytes(span).map { String(decoding: $0, as: UTF8.self) } }
}
