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

  static func nowNanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
