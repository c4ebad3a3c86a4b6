/// Why a row has no score from the endpoint.
package enum RemoteFailure: String, Sendable, CaseIterable {
  /// No answer in time: of a request, or of the batch.
  case timeout
  /// The endpoint failed so often that it is left alone for a while.
  case breakerOpen = "breaker_open"
  /// No connection, or one that broke.
  case unreachable
  /// 429, or 503 with Retry-After beyond the time of the batch.
  case overloaded
  /// Another 5xx.
  case serverError = "server_error"
  /// A 4xx or a redirect: asking again would change nothing.
  case refused
  /// An answer that is none: no JSON, another shape, no label of ours.
  case unusableAnswer = "unusable_answer"
}
