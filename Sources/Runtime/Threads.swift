internal import Glibc

/// Lets a thread that may block wait.
enum Sleep {
  static func milliseconds(_ milliseconds: Int) {
    var wanted = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    var left = timespec()
    while unsafe nanosleep(&wanted, &left) == -1 && errno == EINTR { wanted = left }
  }
}
