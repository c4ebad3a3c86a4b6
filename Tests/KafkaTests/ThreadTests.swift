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
