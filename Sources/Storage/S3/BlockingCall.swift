package import Core
internal import Glibc
internal import Synchronization

/// The edge between callers that may block and calls that are async.
package enum BlockingCall {
  /// Waits on this thread, which must be none of Swift's pool: there it could wait for itself.
  package static func result<Value: Sendable>(
    _ body: @escaping @Sendable () async throws(HeadraceError) -> Value
  ) throws(HeadraceError) -> Value {
    let answer = Answer<Value>()
    Task.detached {
      do throws(HeadraceError) {
        answer.give(.success(try await body()))
      } catch {
        answer.give(.failure(error))
      }
    }
    return try answer.wait().get()
  }
}

/// One value that one thread waits for.
@safe
private final class Answer<Value: Sendable>: Sendable {
  private let value = Mutex<Result<Value, HeadraceError>?>(nil)
  // Safe: a semaphore is made for many threads, and lives as long as this object.
  private nonisolated(unsafe) let isGiven: UnsafeMutablePointer<sem_t>

  init() {
    unsafe isGiven = .allocate(capacity: 1)
    unsafe sem_init(isGiven, 0, 0)
  }

  deinit {
    unsafe sem_destroy(isGiven)
    unsafe isGiven.deallocate()
  }

  func give(_ result: Result<Value, HeadraceError>) {
    value.withLock { $0 = result }
    unsafe sem_post(isGiven)
  }

  func wait() -> Result<Value, HeadraceError> {
    while true {
      while unsafe sem_wait(isGiven) != 0 && errno == EINTR {}
      if let result = value.withLock({ $0 }) { return result }
    }
  }
}
