import Core
import Synchronization
import Testing

@testable import Runtime

@Suite struct ClockWatchTests {
  @Test func `only a step back is one, and only once`() {
    let times = Mutex((wall: Int64(1_700_000_000_000), monotonic: Int64(50_000)))
    var watch = ClockWatch(
      wall: WallClock { times.withLock { $0.wall } }, monotonic: WallClock { times.withLock { $0.monotonic } })
    func pass(wall: Int64, monotonic: Int64) {
      times.withLock { $0 = ($0.wall + wall, $0.monotonic + monotonic) }
    }
    #expect(watch.stepBack() == nil)
    pass(wall: 100, monotonic: 100)
    #expect(watch.stepBack() == nil)
    pass(wall: 3_600_000, monotonic: 100)
    #expect(watch.stepBack() == nil, "an hour forth")
    pass(wall: -3_600_000, monotonic: 100)
    #expect(watch.stepBack() == 3_600_100)
    #expect(watch.stepBack() == nil)
    // A clock that is slewed, and a leap second that is smeared.
    for _ in 0..<100 { pass(wall: 99, monotonic: 100) }
    #expect(watch.stepBack() == nil)
    pass(wall: -900, monotonic: 100)
    #expect(watch.stepBack() == 1_000)
  }
}
