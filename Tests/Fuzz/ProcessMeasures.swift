internal import Glibc

/// What the process uses, from the kernel.
enum ProcessMeasures {
  /// Bytes in physical memory: the second field of /proc/self/statm, in pages.
  static func residentBytes() throws(FuzzError) -> Int {
    let text = String(decoding: try Files.read("/proc/self/statm"), as: UTF8.self)
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { throw FuzzError("cannot read /proc/self/statm") }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  static func nowNanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
