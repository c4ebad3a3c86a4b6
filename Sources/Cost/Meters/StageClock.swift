internal import Glibc

/// Divides the CPU time of one thread among the stages of its work.
///
/// Belongs to one thread. A mark gives everything since the one before it to a stage, so that nothing is counted twice
/// and nothing is lost in between. One system call for a mark (about 0.4 µs): for stages of batches, never for single
/// events.
package final class StageClock {
  private let meters: MeterTable
  /// The thread's CPU time at the last mark.
  package private(set) var lastNanoseconds: Int64

  package init(_ meters: MeterTable) {
    self.meters = meters
    lastNanoseconds = ThreadCPU.currentNanoseconds
  }

  /// Ends a stage that began at the last mark.
  package func mark(_ slot: MeterTable.Slot) {
    let now = ThreadCPU.currentNanoseconds
    meters.add(now &- lastNanoseconds, .cpuNanoseconds, to: slot)
    lastNanoseconds = now
  }

  /// Ends a stage, and says how much it handled.
  package func mark(_ slot: MeterTable.Slot, items: Int) {
    mark(slot)
    meters.add(Int64(items), .items, to: slot)
  }

  package func add(_ amount: Int, _ resource: Resource, to slot: MeterTable.Slot) {
    meters.add(Int64(amount), resource, to: slot)
  }
}

@available(*, unavailable)
extension StageClock: Sendable {}

/// CPU time of threads and of the process.
package enum ThreadCPU {
  /// Of the calling thread.
  package static var currentNanoseconds: Int64 { nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) ?? 0 }

  /// Of the process, threads that have ended included.
  package static var processNanoseconds: Int64 { nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID) ?? 0 }

  /// Of a thread of this process; nil when it has ended.
  ///
  /// The clock of a thread is named by its number as `pthread_getcpuclockid` does (Linux, `posix-timers.h`).
  package static func nanoseconds(ofThread number: Int32) -> Int64? { nanoseconds(of: ~number << 3 | 6) }

  private static func nanoseconds(of clock: clockid_t) -> Int64? {
    var time = timespec()
    guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
