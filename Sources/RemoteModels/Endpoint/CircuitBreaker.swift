/// When an endpoint is left alone.
package struct BreakerPolicy: Sendable, Hashable {
  /// Calls that count, the newest ones.
  package var windowCalls = 20
  /// Before so many calls nothing is decided.
  package var callsMin = 5
  /// Of the window's calls, in percent: from here on it opens.
  package var failuresPercent = 50
  /// How long it stays open before one call tries whether the endpoint is back; doubles while it is not.
  package var openMilliseconds: Int64 = 1_000
  package var openMillisecondsMax: Int64 = 30_000

  package init() {}
}

/// Stops calls to an endpoint that fails, and lets one through now and then (Nygard: Release It!, 2007). A value: what
/// happened goes in, whether one may call comes out.
package struct CircuitBreaker: Sendable, Equatable {
  package enum State: Sendable, Equatable {
    case closed
    /// Nobody calls before that time.
    case open(untilMilliseconds: Int64)
    /// One call is under way, everybody else waits for what it finds.
    case halfOpen
  }

  package private(set) var state = State.closed
  package private(set) var openings = 0
  private let policy: BreakerPolicy
  /// The newest outcomes, in a ring; true is a failure.
  private var outcomes: [Bool] = []
  private var oldest = 0
  private var failures = 0
  private var pauseMilliseconds: Int64

  package init(_ policy: BreakerPolicy = BreakerPolicy()) {
    self.policy = policy
    pauseMilliseconds = policy.openMilliseconds
  }

  /// Whether one may call now. Yes while it is half open means: this is the one call.
  package mutating func permits(nowMilliseconds: Int64) -> Bool {
    switch state {
    case .closed: return true
    case .halfOpen: return false
    case .open(let until):
      guard nowMilliseconds >= until else { return false }
      state = .halfOpen
      return true
    }
  }

  package mutating func succeeded() {
    switch state {
    case .closed: record(false)
    case .halfOpen:
      state = .closed
      pauseMilliseconds = policy.openMilliseconds
      forget()
    // A late answer to a call from before it opened says nothing of now.
    case .open: break
    }
  }

  package mutating func failed(nowMilliseconds: Int64) {
    switch state {
    case .closed:
      record(true)
      guard outcomes.count >= policy.callsMin, failures * 100 >= policy.failuresPercent * outcomes.count else { return }
      open(nowMilliseconds)
    case .halfOpen:
      pauseMilliseconds = min(pauseMilliseconds * 2, policy.openMillisecondsMax)
      open(nowMilliseconds)
    case .open: break
    }
  }

  private mutating func open(_ nowMilliseconds: Int64) {
    state = .open(untilMilliseconds: nowMilliseconds + pauseMilliseconds)
    openings += 1
    forget()
  }

  private mutating func forget() {
    outcomes.removeAll(keepingCapacity: true)
    (oldest, failures) = (0, 0)
  }

  private mutating func record(_ isFailure: Bool) {
    failures += isFailure ? 1 : 0
    guard outcomes.count >= policy.windowCalls else { return outcomes.append(isFailure) }
    failures -= outcomes[oldest] ? 1 : 0
    outcomes[oldest] = isFailure
    oldest = (oldest + 1) % outcomes.count
  }
}
