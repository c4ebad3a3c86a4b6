internal import Glibc

/// Lets a thread that may block wait.
enum Pause {
  static func milliseconds(_ milliseconds: Int32) {
    var wanted = timespec(tv_sec: Int(milliseconds) / 1_000, tv_nsec: Int(milliseconds) % 1_000 * 1_000_000)
    var left = timespec()
    while unsafe nanosleep(&wanted, &left) == -1 && errno == EINTR { wanted = left }
  }
}
