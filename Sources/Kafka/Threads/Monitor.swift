internal import Glibc

/// A value behind a lock that threads can wait on: a POSIX mutex with its condition variable.
///
/// For threads that may block. Nothing on Swift's pool waits here; `withLock` alone is as short as its body.
@safe
package final class Monitor<State: Sendable>: @unchecked Sendable {
  // Unchecked: `state` is only touched with `mutex` held.
  private var state: State
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  package init(_ state: State) {
    self.state = state
    unsafe mutex = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(changed, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Changes the state and wakes everybody who waits for a change.
  package func change<Result>(_ body: (inout State) -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(mutex)
    }
    return body(&state)
  }

  /// Waits until `body` returns a value; it is called at once and after every change.
  ///
  /// - Parameter timeoutMilliseconds: nil waits for ever.
  /// - Returns: nil when the time is over.
  package func wait<Result>(timeoutMilliseconds: Int64? = nil, _ body: (inout State) -> Result?) -> Result? {
    var deadline = timespec()
    if let timeoutMilliseconds { deadline = Self.deadline(afterMilliseconds: timeoutMilliseconds) }
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      if timeoutMilliseconds == nil {
        unsafe pthread_cond_wait(changed, mutex)
      } else if unsafe pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
        return body(&state)
      }
    }
  }

  private static func deadline(afterMilliseconds milliseconds: Int64) -> timespec {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let nanoseconds = Int64(time.tv_nsec) + (milliseconds % 1_000) * 1_000_000
    return timespec(
      tv_sec: time.tv_sec + Int(milliseconds / 1_000 + nanoseconds / 1_000_000_000),
      tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}
