import Core
import Glibc
import Synchronization
import Testing

@testable import OnlineStore

/// Runs `body` on threads of their own and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  final class Job: Sendable {
    let index: Int
    let body: @Sendable (Int) -> Void

    init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.index = index
      self.body = body
    }
  }
  let threads = (0..<count).map { index in
    var thread = pthread_t()
    let job = unsafe Unmanaged.passRetained(Job(index, body))
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let job = unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
        job.body(job.index)
        return nil
      }, job.toOpaque())
    precondition(error == 0, "no thread")
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}

@Suite struct TicketLockTests {
  // Guarded by the lock that is tested.
  private final class Shared: @unchecked Sendable {
    var value = 0
    var isInside = false
    var overlaps = 0
  }

  @Test func `one at a time, also when all have to sleep`() {
    let lock = TicketLock()
    let shared = Shared()
    onThreads(6) { _ in
      for _ in 0..<3_000 {
        lock.withLock {
          if shared.isInside { shared.overlaps += 1 }
          shared.isInside = true
          shared.value += 1
          shared.isInside = false
        }
      }
    }
    #expect(shared.value == 18_000 && shared.overlaps == 0)
  }

  @Test func `who asked gets it before the one that had it and asks again`() {
    for round in 0..<50 {
      let lock = TicketLock()
      let isHeld = Atomic<Bool>(false)
      let turns = Atomic<Int>(0)
      onThreads(2) { thread in
        if thread == 0 {
          lock.lock()
          isHeld.store(true, ordering: .releasing)
          while !lock.isWaitedFor { sched_yield() }
          lock.unlock()
          lock.lock()
          if turns.load(ordering: .relaxed) != 1 { Issue.record("the other one was passed over in round \(round)") }
          lock.unlock()
        } else {
          while !isHeld.load(ordering: .acquiring) { sched_yield() }
          lock.withLock { _ = turns.wrappingAdd(1, ordering: .relaxed) }
        }
      }
      #expect(turns.load(ordering: .relaxed) == 1)
    }
  }
}
