import Testing
@testable import headrace

@Suite struct PacerTests {
  /// Drives a pacer with a clock of its own: waits are taken at once.
  private func moments(_ pace: Pacer.Pace, eventTimes: [Int64?], start: Int64 = 1_000) -> [Int64] {
    var pacer = Pacer(pace)
    var now = start
    return eventTimes.map { time in
      while case let wait = pacer.waitMilliseconds(eventTime: time, nowMilliseconds: now), wait > 0 { now += wait }
      return now - start
    }
  }

  @Test func unlimitedNeverWaits() {
    #expect(moments(.unlimited, eventTimes: [nil, 5, nil]) == [0, 0, 0])
  }

  @Test func aRateSpreadsRecordsEvenly() {
    #expect(moments(.rate(recordsPerSecond: 4), eventTimes: [nil, nil, nil, nil, nil]) == [0, 250, 500, 750, 1_000])
    let many = moments(.rate(recordsPerSecond: 3_000), eventTimes: Array(repeating: nil, count: 6_001))
    #expect(many.last == 2_000)
    #expect(zip(many, many.dropFirst()).allSatisfy { $1 - $0 <= 1 })
  }

  @Test func aReplayKeepsGapsAndIgnoresStepsBack() {
    let times: [Int64?] = [60_000, 120_000, 90_000, nil, 180_000]
    #expect(moments(.replay(speed: 60), eventTimes: times) == [0, 1_000, 1_000, 1_000, 2_000])
    #expect(moments(.replay(speed: 0.5), eventTimes: [0, 10]) == [0, 20])
  }

  @Test func aStallEndsInNoBurst() {
    var pacer = Pacer(.rate(recordsPerSecond: 10))
    #expect(pacer.waitMilliseconds(eventTime: nil, nowMilliseconds: 0) == 0)
    // A minute later: what may be caught up is one second's worth.
    var sent = 0
    while pacer.waitMilliseconds(eventTime: nil, nowMilliseconds: 60_000) == 0 { sent += 1 }
    #expect(sent == 11)
  }

  @Test func aWaitIsNeverLongerThanADay() {
    var pacer = Pacer(.replay(speed: 1e-9))
    #expect(pacer.waitMilliseconds(eventTime: 0, nowMilliseconds: 0) == 0)
    #expect(pacer.waitMilliseconds(eventTime: 1_000_000_000_000, nowMilliseconds: 0) == 86_400_000)
  }
}
