/// Where a connection is in its request, and until when it has to be somewhere else.
///
/// A value without clock and timer: what happens and the time go in, a deadline comes out.
struct RequestPace {
  enum Phase: Equatable {
    /// Nothing of a request has come since the last answer.
    case idle
    /// Some bytes have, but not all headers.
    case head
    case body
    /// The request is complete, its answer is not.
    case answering
  }

  let limits: ServingConfiguration.Pace
  private(set) var phase = Phase.idle
  /// When the phase began.
  private(set) var sinceMilliseconds: Int64
  /// When the newest request's headers were complete.
  private(set) var arrivedMilliseconds: Int64
  private var isAnswered = false

  init(limits: ServingConfiguration.Pace, nowMilliseconds: Int64) {
    self.limits = limits
    sinceMilliseconds = nowMilliseconds
    arrivedMilliseconds = nowMilliseconds
  }

  var deadlineMilliseconds: Int64 {
    switch phase {
    case .idle: sinceMilliseconds &+ limits.idleMilliseconds
    case .head: sinceMilliseconds &+ limits.headMilliseconds
    case .body: sinceMilliseconds &+ limits.bodyMilliseconds
    case .answering: sinceMilliseconds &+ limits.answerMilliseconds
    }
  }

  /// Whether the peer owes us something before the next long wait: only then is a timer worth its price.
  var waitsForPeer: Bool { phase == .head || phase == .body }

  mutating func bytesArrived(nowMilliseconds: Int64) {
    if phase == .idle { enter(.head, nowMilliseconds) }
  }

  mutating func headArrived(nowMilliseconds: Int64) {
    arrivedMilliseconds = nowMilliseconds
    isAnswered = false
    enter(.body, nowMilliseconds)
  }

  mutating func requestEnded(nowMilliseconds: Int64) {
    enter(isAnswered ? .idle : .answering, nowMilliseconds)
  }

  mutating func answered(nowMilliseconds: Int64) {
    isAnswered = true
    // An answer may come before the end of its request (413): then the rest of the body is still awaited.
    if phase == .answering { enter(.idle, nowMilliseconds) }
  }

  private mutating func enter(_ phase: Phase, _ nowMilliseconds: Int64) {
    self.phase = phase
    sinceMilliseconds = nowMilliseconds
  }
}
