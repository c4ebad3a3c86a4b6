internal import Core
package import HTTPClient

/// What all calls to one endpoint share: a value that batches look at and change, one at a time.
package struct EndpointState: Sendable {
  package var breaker: CircuitBreaker
  package var budget = RetryBudget()
  /// Calls that are under way.
  package private(set) var inFlight = 0
  package let concurrency: Int
  /// The endpoint asked for a pause until then.
  package private(set) var pausedUntilMilliseconds: Int64 = .min
  package var counters = RemoteCounters()
  package var cache: AnswerCache?

  package init(_ configuration: RemoteModelConfiguration) {
    breaker = CircuitBreaker(configuration.breaker)
    concurrency = max(configuration.concurrency, 1)
    cache = configuration.cacheMilliseconds.map {
      AnswerCache(lifetimeMilliseconds: $0, bytesMax: configuration.cacheBytesMax)
    }
  }

  package var hasSlot: Bool { inFlight < concurrency }

  mutating func callBegins(isRepetition: Bool) {
    inFlight += 1
    counters.requests += 1
    if isRepetition { counters.repetitions += 1 } else { budget.requestWasSent() }
  }

  /// The connection is free again, whoever still waits for the answer.
  package mutating func callEnded() { inFlight -= 1 }

  mutating func pause(untilMilliseconds: Int64) {
    pausedUntilMilliseconds = max(pausedUntilMilliseconds, untilMilliseconds)
  }
}
