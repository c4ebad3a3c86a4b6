import Core
import RemoteModels
import Testing

/// Whole batches in a simulated world: endpoints that answer, fail, are slow or ask for pauses, at random. Whatever
/// happens, the promises hold.
@Suite struct BatchCallTests {
  private struct Flying {
    var batch: Int
    var part: Int
    var attempt: Int
    var endsAt: Int64
    var outcome: BatchCall.Outcome
  }

  @Test(arguments: 0..<300)
  func `promises hold whatever an endpoint does`(index: Int) {
    let seed = UInt64(index)
    var generator = SplitMix64(seed: seed)
    let configuration = Self.configuration(&generator)
    let failurePercent = [0, 10, 50, 100][index % 4]
    let slowest = [5, 60, 600][index % 3]
    var endpoint = EndpointState(configuration)
    var batches = (0..<2).map { _ in
      BatchCall(partCount: Int.random(in: 1...12, using: &generator), configuration, nowMilliseconds: 0, seed: seed)
    }
    var isComplete = [false, false]
    var flying: [Flying] = []
    var attempts: [[Int]: Int] = [:]
    var scored: Set<[Int]> = []
    var now: Int64 = 0
    var first = 0, repeated = 0
    while isComplete.contains(false) || !flying.isEmpty {
      var wake = Int64.max
      for batch in batches.indices where !isComplete[batch] {
        step: while true {
          switch batches[batch].next(nowMilliseconds: now, &endpoint) {
          case .send(let part, let attempt):
            #expect(endpoint.inFlight <= configuration.concurrency, "seed \(seed)")
            #expect(attempt == attempts[[batch, part], default: 0] + 1 && attempt <= configuration.attemptsMax)
            #expect(now >= endpoint.pausedUntilMilliseconds && now < configuration.batchMilliseconds)
            attempts[[batch, part]] = attempt
            if attempt == 1 { first += 1 } else { repeated += 1 }
            let takes = Int64.random(in: 0...Int64(slowest), using: &generator)
            flying.append(
              Flying(
                batch: batch, part: part, attempt: attempt, endsAt: now + takes,
                outcome: Self.outcome(failurePercent, &generator)))
          case .wait(let until):
            #expect(until > now && until <= configuration.batchMilliseconds, "seed \(seed): \(until) at \(now)")
            wake = min(wake, until)
            break step
          case .complete:
            #expect(now <= configuration.batchMilliseconds, "seed \(seed): complete at \(now)")
            isComplete[batch] = true
            break step
          }
        }
      }
      flying.sort { $0.endsAt > $1.endsAt }
      guard let next = flying.last, next.endsAt <= wake else {
        if wake < .max { now = wake }
        continue
      }
      now = max(now, next.endsAt)
      flying.removeLast()
      endpoint.callEnded()
      let counts = batches[next.batch].finished(
        part: next.part, attempt: next.attempt, next.outcome, nowMilliseconds: now, &endpoint)
      #expect(!counts || next.outcome == .scored)
      if counts {
        let isNew = scored.insert([next.batch, next.part]).inserted
        #expect(isNew, "seed \(seed): scored twice")
      }
    }
    #expect(endpoint.inFlight == 0)
    #expect(endpoint.counters.requests == Int64(first + repeated))
    // A budget: ten to begin with, and a fifth of what was sent.
    #expect(repeated <= 10 + first / 5 + 1, "seed \(seed): \(repeated) repetitions of \(first)")
    Self.expectFailures(of: batches, attempts: attempts, scored: scored, seed)
    if failurePercent == 0, slowest == 5, configuration.batchMilliseconds > 200 {
      #expect(scored.count == attempts.count && !batches.contains { $0.failure(ofPart: 0) != nil })
    }
  }

  /// Each part is scored or says why not.
  private static func expectFailures(
    of batches: [BatchCall], attempts: [[Int]: Int], scored: Set<[Int]>, _ seed: UInt64
  ) {
    for batch in batches.indices {
      for part in attempts.keys where part[0] == batch {
        #expect((batches[batch].failure(ofPart: part[1]) == nil) == scored.contains(part), "seed \(seed)")
      }
    }
  }

  /// What may be chosen of a world before it begins.
  private static func configuration(_ generator: inout SplitMix64) -> RemoteModelConfiguration {
    var configuration = RemoteModelConfiguration(url: "http://h", format: .oip, model: "m")
    configuration.concurrency = Int.random(in: 1...4, using: &generator)
    configuration.attemptsMax = Int.random(in: 1...4, using: &generator)
    configuration.batchMilliseconds = Int64.random(in: 20...400, using: &generator)
    configuration.backoffMilliseconds = Int64.random(in: 1...20, using: &generator)
    configuration.breaker.openMilliseconds = 30
    return configuration
  }

  private static func outcome(_ failurePercent: Int, _ generator: inout SplitMix64) -> BatchCall.Outcome {
    guard Int.random(in: 0..<100, using: &generator) < failurePercent else { return .scored }
    return switch Int.random(in: 0..<6, using: &generator) {
    case 0: .permanent(.refused)
    case 1: .overloaded(retryAfterMilliseconds: nil)
    case 2: .overloaded(retryAfterMilliseconds: Int64.random(in: 0...80, using: &generator))
    case 3: .overloaded(retryAfterMilliseconds: .max)
    default: .transient(.serverError)
    }
  }

  @Test func `an answer that comes after the batch was given up changes nothing`() {
    var configuration = RemoteModelConfiguration(url: "http://h", format: .oip, model: "m")
    configuration.batchMilliseconds = 100
    var endpoint = EndpointState(configuration)
    var batch = BatchCall(partCount: 2, configuration, nowMilliseconds: 0, seed: 1)
    let actions = (0..<3).map { _ in batch.next(nowMilliseconds: 0, &endpoint) }
    #expect(actions == [.send(part: 0, attempt: 1), .send(part: 1, attempt: 1), .wait(untilMilliseconds: 100)])
    let counts = batch.finished(part: 0, attempt: 1, .scored, nowMilliseconds: 50, &endpoint)
    #expect(counts)
    let last = batch.next(nowMilliseconds: 100, &endpoint)
    #expect(last == .complete)
    let isLate = batch.finished(part: 1, attempt: 1, .scored, nowMilliseconds: 120, &endpoint)
    #expect(!isLate)
    #expect(batch.failure(ofPart: 0) == nil && batch.failure(ofPart: 1) == .timeout)
  }

  @Test func `an open breaker refuses at once`() {
    var configuration = RemoteModelConfiguration(url: "http://h", format: .oip, model: "m")
    configuration.attemptsMax = 1
    var endpoint = EndpointState(configuration)
    var batch = BatchCall(partCount: 40, configuration, nowMilliseconds: 0, seed: 1)
    var sent = 0
    loop: while true {
      switch batch.next(nowMilliseconds: 5, &endpoint) {
      case .send(let part, let attempt):
        sent += 1
        endpoint.callEnded()
        let counts = batch.finished(
          part: part, attempt: attempt, .transient(.unreachable), nowMilliseconds: 5, &endpoint)
        #expect(!counts)
      case .wait: Issue.record("nothing to wait for")
      case .complete: break loop
      }
    }
    #expect(sent == configuration.breaker.callsMin)
    #expect(batch.failure(ofPart: 39) == .breakerOpen && batch.failure(ofPart: 0) == .unreachable)
  }
}
