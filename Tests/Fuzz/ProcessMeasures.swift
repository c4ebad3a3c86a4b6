internal import Glibc

/// What the process uses, from the kernel.
enum ProcessMeasures {
  /// The most bytes that were ever in physical memory at a time: what a single input took for a moment counts too.
  static func peakResidentBytes() -> Int {
    var usage = rusage()
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    // The kernel counts in KiB.
    return Int(usage.ru_maxrss) << 10
  }

  static func nowNanoseconds() -> Int64 { nanoseconds(CLOCK_MONOTONIC) }

  /// What the process has computed so far: others that take the processor away do not count.
  static func computedNanoseconds() -> Int64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

  private static func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
