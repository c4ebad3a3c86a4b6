import Core
import RemoteModels
import Testing

/// The breaker against a plain list of everything that happened.
@Suite struct CircuitBreakerTests {
  /// Keeps all outcomes and decides from the definition.
  private struct Naive {
    let policy: BreakerPolicy
    var outcomes: [Bool] = []
    var openUntil: Int64?
    var isHalfOpen = false
    var pause: Int64

    init(_ policy: BreakerPolicy) {
      self.policy = policy
      pause = policy.openMilliseconds
    }

    mutating func permits(_ now: Int64) -> Bool {
      if isHalfOpen { return false }
      guard let until = openUntil else { return true }
      guard now >= until else { return false }
      openUntil = nil
      isHalfOpen = true
      return true
    }

    mutating func finished(isFailure: Bool, _ now: Int64) {
      if isHalfOpen {
        isHalfOpen = false
        outcomes = []
        pause = isFailure ? min(pause * 2, policy.openMillisecondsMax) : policy.openMilliseconds
        if isFailure { openUntil = now + pause }
        return
      }
      guard openUntil == nil else { return }
      outcomes.append(isFailure)
      let counted = outcomes.suffix(policy.windowCalls)
      let failures = counted.count { $0 }
      guard isFailure, counted.count >= policy.callsMin,
        failures * 100 >= policy.failuresPercent * counted.count
      else { return }
      openUntil = now + pause
      outcomes = []
    }
  }

  @Test(arguments: 0..<20)
  func `it opens, tries and closes as the definition says`(index: Int) {
    var generator = SplitMix64(seed: UInt64(index) + 40)
    var policy = BreakerPolicy()
    policy.windowCalls = Int.random(in: 1...8, using: &generator)
    policy.callsMin = Int.random(in: 1...policy.windowCalls, using: &generator)
    policy.failuresPercent = [1, 30, 50, 100][index % 4]
    policy.openMilliseconds = 10
    policy.openMillisecondsMax = 45
    var breaker = CircuitBreaker(policy)
    var naive = Naive(policy)
    var now: Int64 = 0
    for step in 0..<2_000 {
      now += Int64.random(in: 0...4, using: &generator)
      if Bool.random(using: &generator) {
        let expected = naive.permits(now)
        let found = breaker.permits(nowMilliseconds: now)
        #expect(found == expected, "seed \(index), step \(step)")
      } else {
        let isFailure = Int.random(in: 0..<10, using: &generator) < 4
        naive.finished(isFailure: isFailure, now)
        if isFailure { breaker.failed(nowMilliseconds: now) } else { breaker.succeeded() }
      }
    }
  }

  @Test func `only one call tries whether the endpoint is back, and each vain one doubles the pause`() {
    var policy = BreakerPolicy()
    (policy.callsMin, policy.openMilliseconds, policy.openMillisecondsMax) = (2, 100, 250)
    var breaker = CircuitBreaker(policy)
    breaker.failed(nowMilliseconds: 0)
    #expect(breaker.permits(nowMilliseconds: 0) == true)
    breaker.failed(nowMilliseconds: 0)
    #expect(breaker.permits(nowMilliseconds: 99) == false)
    #expect(breaker.permits(nowMilliseconds: 100) == true)
    #expect(breaker.permits(nowMilliseconds: 100) == false)
    breaker.failed(nowMilliseconds: 110)
    #expect(breaker.state == .open(untilMilliseconds: 310))
    #expect(breaker.permits(nowMilliseconds: 310) == true)
    breaker.failed(nowMilliseconds: 320)
    #expect(breaker.state == .open(untilMilliseconds: 570))
    #expect(breaker.permits(nowMilliseconds: 570) == true)
    breaker.succeeded()
    #expect(breaker.state == .closed)
  }
}
