internal import Glibc
internal import Synchronization

/// A lock that is given in the order in which it was asked for: a worker under full load does not starve the readers,
/// and readers do not starve the worker. Not recursive.
///
/// Two counters in the ordinary case. Whoever has to wait looks a while, since holders are quick, then sleeps until its
/// ticket is called.
@safe
final class TicketLock: @unchecked Sendable {
  // Unchecked: two atomic counters, and POSIX objects that any thread may use.
  private static let bellCount = 8
  private static let looks = 2_000
  private let nextTicket = Atomic<UInt64>(0)
  private let called = Atomic<UInt64>(0)
  private let sleepers = Atomic<Int>(0)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  /// A ticket sleeps at the bell of its number, so that a call wakes few.
  private let bells: UnsafeMutablePointer<pthread_cond_t>

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe bells = .allocate(capacity: Self.bellCount)
    unsafe pthread_mutex_init(mutex, nil)
    for bell in 0..<Self.bellCount { unsafe pthread_cond_init(bells + bell, nil) }
  }

  deinit {
    for bell in 0..<Self.bellCount { unsafe pthread_cond_destroy(bells + bell) }
    unsafe pthread_mutex_destroy(mutex)
    unsafe bells.deallocate()
    unsafe mutex.deallocate()
  }

  @inline(__always)
  func lock() {
    let ticket = nextTicket.wrappingAdd(1, ordering: .relaxed).oldValue
    if called.load(ordering: .acquiring) != ticket { wait(for: ticket) }
  }

  @inline(__always)
  func unlock() {
    // Sequentially consistent, as is the sleeper's look after it counted itself: one of both sees the other.
    let ticket = called.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { ring(for: ticket) }
  }

  /// Whether somebody waits while it is held. For tests.
  var isWaitedFor: Bool { nextTicket.load(ordering: .relaxed) > called.load(ordering: .relaxed) + 1 }

  @inline(__always)
  func withLock<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }

  @inline(never)
  private func wait(for ticket: UInt64) {
    for _ in 0..<Self.looks where called.load(ordering: .acquiring) == ticket { return }
    unsafe pthread_mutex_lock(mutex)
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    while called.load(ordering: .sequentiallyConsistent) != ticket {
      unsafe pthread_cond_wait(bells + Int(ticket % UInt64(Self.bellCount)), mutex)
    }
    sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    unsafe pthread_mutex_unlock(mutex)
  }

  @inline(never)
  private func ring(for ticket: UInt64) {
    unsafe pthread_mutex_lock(mutex)
    unsafe pthread_cond_broadcast(bells + Int(ticket % UInt64(Self.bellCount)))
    unsafe pthread_mutex_unlock(mutex)
  }
}
