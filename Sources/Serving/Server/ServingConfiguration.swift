/// Everything that can be set about the HTTP server. Defaults live here and nowhere else.
package struct ServingConfiguration: Sendable {
  package var host = "127.0.0.1"
  /// Feast's port. 0 takes a free one; `FeatureServer.port` tells which.
  package var port = 6_566
  package var limits = Limits()
  package var pace = Pace()
  package var admission = Admission()
  /// How long `stop` waits for requests that are under way.
  package var drainMilliseconds: Int64 = 10_000
  /// What the access file says now; nil where there is none.
  package var access: @Sendable () -> AccessList? = { nil }

  package init() {}

  /// What one request may ask for; more is refused with 413, 422 or 431.
  package struct Limits: Sendable {
    package var bodyBytes = 1_048_576
    /// Of inference requests: matrices are large.
    package var inferenceBodyBytes = 64 << 20
    package var headerFieldBytes = 16_384
    package var headerBytes = 16_384
    package var headerCount = 100
    package var jsonDepth = 32
    /// Rows of `entities`.
    package var entities = 1_000
    /// Columns that are answered, join keys left out.
    package var features = 500
    /// Rows of one push.
    package var pushedRows = 10_000
    /// Different lists of features that are kept resolved.
    package var cachedShapes = 1_024

    package init() {}
  }

  /// How slow a peer may be, in milliseconds. Against peers that hold connections by sending a byte now and then.
  package struct Pace: Sendable {
    /// Between requests on a connection that is kept open.
    package var idleMilliseconds: Int64 = 60_000
    /// From the first byte of a request to the end of its headers.
    package var headMilliseconds: Int64 = 5_000
    /// From the end of the headers to the end of the body.
    package var bodyMilliseconds: Int64 = 10_000
    /// From the end of the request until the answer is on its way.
    package var answerMilliseconds: Int64 = 30_000

    package init() {}
  }

  /// How much may be under way at the same time; what is more is refused at once, with 429 or 503 and `Retry-After`.
  package struct Admission: Sendable {
    package var connections = 4_096
    package var connectionsPerAddress = 4_096
    /// Requests that have arrived and are not answered yet.
    package var requests = 1_024
    /// Requests among them that wait for something: an offset to be applied, a push to be acknowledged.
    package var waitingRequests = 256
    /// A request that waited longer than this for its turn is refused: its caller has given up or is about to.
    package var queueMilliseconds: Int64 = 500
    /// How long a request may take when it does not say, and at most.
    package var deadlineMilliseconds: Int64 = 5_000
    /// Reads of more rows than this leave the event loop, so that one large request does not delay many small ones.
    package var rowsOnEventLoop = 64

    package init() {}
  }
}
