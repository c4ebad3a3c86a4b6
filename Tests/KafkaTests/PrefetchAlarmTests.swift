import Testing

@testable import Kafka

@Suite struct PrefetchAlarmTests {
  @Test func itRingsWhenHalfOfThePeakIsGone() {
    var alarm = PrefetchAlarm()
    #expect(!alarm.isDue(queued: 1_000, nowMilliseconds: 10))
    #expect(!alarm.isDue(queued: 500, nowMilliseconds: 20))
    #expect(alarm.isDue(queued: 499, nowMilliseconds: 30))
    #expect(!alarm.isDue(queued: 400, nowMilliseconds: 40))
    #expect(alarm.isDue(queued: 200, nowMilliseconds: 50))
  }

  @Test func itDoesNotRingTwiceInAMoment() {
    var alarm = PrefetchAlarm()
    #expect(!alarm.isDue(queued: 1_000, nowMilliseconds: 10))
    #expect(alarm.isDue(queued: 100, nowMilliseconds: 10))
    #expect(!alarm.isDue(queued: 10, nowMilliseconds: 19))
    #expect(alarm.isDue(queued: 10, nowMilliseconds: 20))
  }

  @Test func anEmptyQueueStaysQuiet() {
    var alarm = PrefetchAlarm()
    for moment in Int64(0)..<100 { #expect(!alarm.isDue(queued: 0, nowMilliseconds: moment * 10)) }
  }
}
