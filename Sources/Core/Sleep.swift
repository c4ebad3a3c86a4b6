#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Lets a thread that may block wait.
package enum Sleep {
  package static func milliseconds(_ milliseconds: Int) {
    var wanted = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    var left = timespec()
    while unsafe nanosleep(&wanted, &left) == -1 && errno == EINTR { wanted = left }
  }
}
