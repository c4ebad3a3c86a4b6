internal import Core
internal import RemoteModels
internal import Synchronization

/// How long a local version may take for a batch, and what follows when it takes longer.
///
/// A batch that is being scored cannot be stopped: its scores count, and the next batches go to what stands in for the
/// version, until after a pause one batch tries it again. One breaker for all tasks of the process: what is too slow
/// for one of them is too slow for all.
final class ScoringBudget: Sendable {
  private struct State: Sendable {
    var breaker = CircuitBreaker(ScoringBudget.policy)
    var overruns = 0
    var longestNanoseconds: Int64 = 0
    /// Openings that somebody was told of.
    var openingsTold = 0
  }

  /// What it came to.
  struct Figures: Sendable, Equatable {
    var overruns: Int
    var longestMilliseconds: Double
    var isOpen: Bool
  }

  let batchMilliseconds: Int64
  /// Whether anything stands in for it: else every batch is scored, and overruns are only counted.
  private let hasFallback: Bool
  private let clock: WallClock
  private let state = Mutex(State())

  /// The first overrun opens it: a batch that came too late is late for every event in it.
  private static let policy: BreakerPolicy = {
    var policy = BreakerPolicy()
    (policy.windowCalls, policy.callsMin, policy.failuresPercent) = (1, 1, 100)
    return policy
  }()

  init(batchMilliseconds: Int64, hasFallback: Bool, clock: WallClock = .monotonic) {
    self.batchMilliseconds = batchMilliseconds
    self.hasFallback = hasFallback
    self.clock = clock
  }

  /// Whether the next batch may be scored.
  func permits() -> Bool {
    guard hasFallback else { return true }
    let now = clock.nowMilliseconds
    return state.withLock { $0.breaker.permits(nowMilliseconds: now) }
  }

  /// A batch was scored.
  func note(nanoseconds: Int64) {
    let now = clock.nowMilliseconds
    let isOver = nanoseconds > batchMilliseconds &* 1_000_000
    state.withLock { state in
      guard isOver else { return state.breaker.succeeded() }
      state.overruns += 1
      state.longestNanoseconds = max(state.longestNanoseconds, nanoseconds)
      state.breaker.failed(nowMilliseconds: now)
    }
  }

  var figures: Figures {
    state.withLock { state in
      Figures(
        overruns: state.overruns, longestMilliseconds: Double(state.longestNanoseconds) / 1_000_000,
        isOpen: hasFallback && state.breaker.state != .closed)
    }
  }

  /// The figures, when it overran since it was asked for the last time.
  func takeTrouble() -> Figures? {
    let isNew = state.withLock { state in
      defer { state.openingsTold = state.breaker.openings }
      return state.breaker.openings > state.openingsTold
    }
    return isNew ? figures : nil
  }
}
