internal import Core
internal import HTTPClient

/// How the parts of one batch come to their scores: which requests are sent when, which again, and when it is enough. A
/// value: time and answers go in, actions come out. What batches share is in `EndpointState`.
package struct BatchCall: Sendable {
  package enum Action: Sendable, Equatable {
    /// Send the request of a part; `finished` is told what came of it.
    case send(part: Int, attempt: Int)
    /// Nothing to do until then, or until an answer comes or a call of another batch ends.
    case wait(untilMilliseconds: Int64)
    /// Every part has scores or a reason why not.
    case complete
  }

  /// What came of a request.
  package enum Outcome: Sendable, Equatable {
    case scored
    /// May go better later.
    case transient(RemoteFailure)
    /// The endpoint wants to be left alone, for so long if it says so.
    case overloaded(retryAfterMilliseconds: Int64?)
    case permanent(RemoteFailure)
  }

  private enum Phase: Sendable, Equatable {
    case waiting(fromMilliseconds: Int64)
    case sent
    case done
    case failed(RemoteFailure)
  }

  private struct Part: Sendable {
    var phase: Phase
    var attempt = 0
    var lastFailure: RemoteFailure?

    var isSettled: Bool {
      switch phase {
      case .done, .failed: true
      case .waiting, .sent: false
      }
    }
  }

  private var parts: [Part]
  private let deadlineMilliseconds: Int64
  private let attemptsMax: Int
  private let backoffMilliseconds: Int64
  private var generator: SplitMix64
  /// Parts that are not settled.
  private var openCount: Int
  /// Everything before it is settled.
  private var firstOpen = 0

  /// - Parameter seed: of the jitter between attempts.
  package init(
    partCount: Int, _ configuration: RemoteModelConfiguration, nowMilliseconds: Int64, seed: UInt64
  ) {
    parts = [Part](repeating: Part(phase: .waiting(fromMilliseconds: nowMilliseconds)), count: partCount)
    deadlineMilliseconds = nowMilliseconds + configuration.batchMilliseconds
    attemptsMax = max(configuration.attemptsMax, 1)
    backoffMilliseconds = max(configuration.backoffMilliseconds, 1)
    generator = SplitMix64(seed: seed)
    openCount = partCount
  }

  /// Why a part has no scores; nil when it has.
  package func failure(ofPart part: Int) -> RemoteFailure? {
    switch parts[part].phase {
    case .done: nil
    case .failed(let failure): failure
    case .waiting, .sent: .timeout
    }
  }

  /// What to do now. Ask again until it says `wait` or `complete`.
  package mutating func next(nowMilliseconds now: Int64, _ endpoint: inout EndpointState) -> Action {
    guard openCount > 0 else { return .complete }
    guard now < deadlineMilliseconds else {
      giveUp(now, &endpoint)
      return .complete
    }
    // The end of some call is what wakes.
    guard endpoint.hasSlot else { return .wait(untilMilliseconds: deadlineMilliseconds) }
    var wakeMilliseconds = deadlineMilliseconds
    for index in parts.indices[firstOpen...] {
      guard case .waiting(let from) = parts[index].phase else { continue }
      let ready = max(from, endpoint.pausedUntilMilliseconds)
      guard ready < deadlineMilliseconds else {
        settle(index, .failed(parts[index].lastFailure ?? .overloaded))
        continue
      }
      guard ready <= now else {
        wakeMilliseconds = min(wakeMilliseconds, ready)
        continue
      }
      guard endpoint.breaker.permits(nowMilliseconds: now) else {
        settle(index, .failed(.breakerOpen))
        continue
      }
      parts[index].attempt += 1
      parts[index].phase = .sent
      endpoint.callBegins(isRepetition: parts[index].attempt > 1)
      return .send(part: index, attempt: parts[index].attempt)
    }
    return openCount == 0 ? .complete : .wait(untilMilliseconds: wakeMilliseconds)
  }

  /// - Parameter attempt: which one; the answer to an older one is too late and changes nothing.
  /// - Returns: whether the part's scores count.
  package mutating func finished(
    part index: Int, attempt: Int, _ outcome: Outcome, nowMilliseconds now: Int64, _ endpoint: inout EndpointState
  ) -> Bool {
    guard parts[index].phase == .sent, parts[index].attempt == attempt else { return false }
    switch outcome {
    case .scored:
      endpoint.breaker.succeeded()
      settle(index, .done)
      return true
    case .permanent(let failure):
      fail(now, &endpoint)
      settle(index, .failed(failure))
    case .transient(let failure):
      fail(now, &endpoint)
      retry(index, failure, notBefore: now, now, &endpoint)
    case .overloaded(let pause):
      // It lives, and says so.
      endpoint.breaker.succeeded()
      let from = pause.map { now.addingReportingOverflow($0).overflow ? .max : now + $0 } ?? now
      if pause != nil { endpoint.pause(untilMilliseconds: from) }
      retry(index, .overloaded, notBefore: from, now, &endpoint)
    }
    return false
  }

  private func fail(_ now: Int64, _ endpoint: inout EndpointState) {
    let before = endpoint.breaker.openings
    endpoint.breaker.failed(nowMilliseconds: now)
    endpoint.counters.breakerOpenings += Int64(endpoint.breaker.openings - before)
  }

  private mutating func retry(
    _ index: Int, _ failure: RemoteFailure, notBefore: Int64, _ now: Int64, _ endpoint: inout EndpointState
  ) {
    parts[index].lastFailure = failure
    let pause = backoffMilliseconds << Int64(min(parts[index].attempt - 1, 10))
    let jittered = Int64.random(in: pause / 2...max(pause / 2, pause * 3 / 2), using: &generator)
    let from = max(notBefore, now + jittered)
    guard parts[index].attempt < attemptsMax, from < deadlineMilliseconds, endpoint.budget.takeRepetition() else {
      settle(index, .failed(failure))
      return
    }
    parts[index].phase = .waiting(fromMilliseconds: from)
  }

  /// The time is over. What is under way is not waited for; that it took so long is a failure of the endpoint.
  private mutating func giveUp(_ now: Int64, _ endpoint: inout EndpointState) {
    for index in parts.indices {
      switch parts[index].phase {
      case .sent:
        fail(now, &endpoint)
        settle(index, .failed(.timeout))
      case .waiting: settle(index, .failed(parts[index].lastFailure ?? .timeout))
      case .done, .failed: break
      }
    }
  }

  private mutating func settle(_ index: Int, _ phase: Phase) {
    parts[index].phase = phase
    openCount -= 1
    while firstOpen < parts.count, parts[firstOpen].isSettled { firstOpen += 1 }
  }
}
