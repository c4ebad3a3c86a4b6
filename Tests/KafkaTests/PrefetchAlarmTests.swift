import Testing

@testable import Kafka

@Suite struct PrefetchAlarmTests {
  private func expect(
    _ alarm: inout PrefetchAlarm, _ queued: Int, at nowMilliseconds: Int64, rings: Bool,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let isDue = alarm.isDue(queued: queued, nowMilliseconds: nowMilliseconds)
    #expect(isDue == rings, sourceLocation: location)
  }

  @Test func itRingsWhenHalfOfThePeakIsGone() {
    var alarm = PrefetchAlarm()
    expect(&alarm, 1_000, at: 10, rings: false)
    expect(&alarm, 500, at: 20, rings: false)
    expect(&alarm, 499, at: 30, rings: true)
    expect(&alarm, 400, at: 40, rings: false)
    expect(&alarm, 200, at: 50, rings: true)
  }

  @Test func itDoesNotRingTwiceInAMoment() {
    var alarm = PrefetchAlarm()
    expect(&alarm, 1_000, at: 10, rings: false)
    expect(&alarm, 100, at: 10, rings: true)
    expect(&alarm, 10, at: 19, rings: false)
    expect(&alarm, 10, at: 20, rings: true)
  }

  @Test func anEmptyQueueStaysQuiet() {
    var alarm = PrefetchAlarm()
    let rings = (0..<Int64(100)).filter { alarm.isDue(queued: 0, nowMilliseconds: $0 * 10) }
    #expect(rings.isEmpty)
  }
}
