internal import Glibc
internal import Synchronization

/// Who is inside of a database. The last one out after `close` shuts it down, so that no call meets a freed handle.
@safe
final class UseCount: @unchecked Sendable {
  // Unchecked: a counter and a semaphore, which any thread may use.
  private static let closedBit = 1 << 62
  private let state = Atomic<Int>(0)
  private let isShut: UnsafeMutablePointer<sem_t>

  init() {
    unsafe isShut = .allocate(capacity: 1)
    unsafe sem_init(isShut, 0, 0)
  }

  deinit {
    unsafe sem_destroy(isShut)
    unsafe isShut.deallocate()
  }

  /// - Returns: false when it is closed: nobody may go in any more.
  @inline(__always)
  func enter() -> Bool {
    var seen = state.load(ordering: .relaxed)
    while seen & Self.closedBit == 0 {
      let (exchanged, original) = state.weakCompareExchange(
        expected: seen, desired: seen + 1, successOrdering: .acquiring, failureOrdering: .relaxed)
      if exchanged { return true }
      seen = original
    }
    return false
  }

  /// - Returns: true for the last one out of a closed database: it shuts down, then calls `shut()`.
  @inline(__always)
  func leave() -> Bool {
    state.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == Self.closedBit
  }

  enum Closing { case alreadyClosed, isIdle, isInUse }

  /// Lets nobody in any more.
  ///
  /// - Returns: `.isIdle` to the one that shuts down.
  func close() -> Closing {
    let old = state.bitwiseOr(Self.closedBit, ordering: .acquiringAndReleasing).oldValue
    if old & Self.closedBit != 0 { return .alreadyClosed }
    return old == 0 ? .isIdle : .isInUse
  }

  func shut() { unsafe sem_post(isShut) }

  /// Waits for `shut()` of the last one out.
  ///
  /// - Returns: false when the time is over: something that belongs to the database is still held.
  func waitUntilShut(timeoutSeconds: Int) -> Bool {
    var deadline = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &deadline)
    deadline.tv_sec += timeoutSeconds
    while unsafe sem_timedwait(isShut, &deadline) != 0 {
      if errno != EINTR { return false }
    }
    return true
  }
}
