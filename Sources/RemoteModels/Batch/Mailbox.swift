internal import Core
internal import Glibc
internal import Synchronization

/// Messages for one thread that may block while it waits for them.
@safe
final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  // Safe: a semaphore is made for many threads, and lives as long as this object.
  private nonisolated(unsafe) let isSignalled: UnsafeMutablePointer<sem_t>

  init() {
    unsafe isSignalled = .allocate(capacity: 1)
    unsafe sem_init(isSignalled, 0, 0)
  }

  deinit {
    unsafe sem_destroy(isSignalled)
    unsafe isSignalled.deallocate()
  }

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    signal()
  }

  /// Ends the wait that is under way, or the next one.
  func signal() { unsafe sem_post(isSignalled) }

  /// What came, at the latest after so long; waits on this thread, which must be none of Swift's pool.
  func wait(milliseconds: Int64) -> [Message] {
    var end = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &end)
    let nanoseconds = Int64(end.tv_nsec) + max(milliseconds, 0) % 1_000 * 1_000_000
    end.tv_sec += Int(max(milliseconds, 0) / 1_000 + nanoseconds / 1_000_000_000)
    end.tv_nsec = Int(nanoseconds % 1_000_000_000)
    // Whoever wakes early looks at the time and waits again.
    unsafe sem_timedwait(isSignalled, &end)
    return messages.withLock { messages in
      defer { messages.removeAll(keepingCapacity: true) }
      return messages
    }
  }
}
