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

  /// Each thread writes its number down at each turn: nobody gets two turns while another one waits. Who asked first is
  /// known only to the lock, so the test counts how far the busiest gets ahead of a thread that is there all the time.
  @Test func `one that holds it over and over does not starve the others`() {
    let lock = TicketLock()
    let turns = Atomic<Int>(0)
    let isDone = Atomic<Bool>(false)
    let readerTurns = 300
    onThreads(2) { thread in
      if thread == 0 {
        while !isDone.load(ordering: .relaxed) {
          lock.withLock { _ = turns.wrappingAdd(1, ordering: .relaxed) }
        }
      } else {
        for _ in 0..<readerTurns {
          let before = turns.load(ordering: .relaxed)
          lock.lock()
          let waited = turns.load(ordering: .relaxed) - before
          lock.unlock()
          // The scheduler may take this thread away between the look and the ticket.
          if waited > 1_000_000 { Issue.record("\(waited) turns of the other while this one waited") }
        }
        isDone.store(true, ordering: .relaxed)
      }
    }
    #expect(turns.load(ordering: .relaxed) > 0)
  }
}
