import Core
import Synchronization
import Testing

@testable import Kafka

/// The async edge: jobs run on their own thread, in order, and a value never leaves its thread.
@Suite struct ThreadTests {
  @Test func jobsRunInOrderOnOneThread() async throws {
    let thread = try BlockingThread(name: "ordered")
    let seen = Mutex<[Int]>([])
    for number in 0..<100 { thread.post { seen.withLock { $0.append(number) } } }
    try await thread.run {}
    #expect(seen.withLock { $0 } == Array(0..<100))
    thread.stop()
  }

  @Test func errorsComeThrough() async throws {
    let thread = try BlockingThread(name: "failing")
    await #expect(throws: HeadraceError.self) {
      try await thread.run { throw HeadraceError(.user, "TEST", "as thrown") }
    }
    thread.stop()
    await #expect(throws: HeadraceError.self) { try await thread.run {} }
  }

  @Test func aConfinedValueIsUsedAndReleasedOnItsThread() async throws {
    let thread = try BlockingThread(name: "confined")
    let threads = Threads()
    do {
      let confined = try await Confined(on: thread) { Witness(threads) }
      #expect(try await confined.run { $0.touch() } == 1)
      #expect(try await confined.run { $0.touch() } == 2)
    }
    try await thread.run {}
    #expect(threads.names.withLock { $0 } == ["confined", "confined", "confined", "confined"])
    thread.stop()
  }

  @Test func aWaitEndsInTime() {
    let monitor = Monitor(0)
    let start = WallClock.monotonic.nowMilliseconds
    let result: Int? = monitor.wait(timeoutMilliseconds: 50) { $0 > 0 ? $0 : nil }
    #expect(result == nil)
    #expect((45..<5_000).contains(WallClock.monotonic.nowMilliseconds - start))
  }

  @Test func aSessionFollowsUntilSomethingElseIsSet() async throws {
    let (thread, followed, seen) = (SessionThread("follower"), Followed<Int>(), Monitor<[Int]>([]))
    try thread.start { thread in
      thread.repeatSessions(following: followed, failed: { _, _ in }) { value, goesOn in
        seen.change { $0.append(value) }
        while goesOn() { Sleep.milliseconds(1) }
      }
    }
    for value in 1...3 {
      followed.set(value)
      #expect(seen.wait(timeoutMilliseconds: 5_000) { $0.last == value ? true : nil } == true)
    }
    followed.set(nil)
    await thread.stop()
    #expect(seen.change { $0 } == [1, 2, 3])
    // What was asked to end does not begin again.
    try thread.start { _ in Issue.record("begun again") }
  }

  @Test func failuresAreCountedInARowAndAPauseEndsWithTheThread() async throws {
    struct Failure: Error {}
    let (thread, counts) = (SessionThread("failing"), Monitor<[Int]>([]))
    var backoff = SessionThread.Backoff()
    backoff.firstMilliseconds = 1
    backoff.maximumMilliseconds = 3_600_000
    try thread.start { [backoff] thread in
      var sessions = 0
      thread.repeatSessions(
        backoff, failed: { _, count in counts.change { $0.append(count) } },
        session: {
          sessions += 1
          if sessions != 3 { throw Failure() }
        })
    }
    #expect(counts.wait(timeoutMilliseconds: 5_000) { $0.count >= 5 ? true : nil } == true)
    await thread.stop()
    #expect(counts.change { Array($0.prefix(5)) } == [1, 2, 1, 2, 3])
    #expect(backoff.pauseMilliseconds(failures: 1) == 1 && backoff.pauseMilliseconds(failures: 3) == 4)
    #expect(backoff.pauseMilliseconds(failures: .max) == 65_536)
  }

  private final class Threads: Sendable { let names = Mutex<[String]>([]) }

  /// Notes the thread of everything that happens to it. Not Sendable.
  private final class Witness {
    private let threads: Threads
    private var count = 0

    init(_ threads: Threads) {
      self.threads = threads
      note()
    }

    deinit { note() }

    func touch() -> Int {
      note()
      count += 1
      return count
    }

    private func note() { threads.names.withLock { $0.append(BlockingThread.currentName) } }
  }
}
