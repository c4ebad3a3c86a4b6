internal import Glibc

/// A pause of this thread, which a signal ends early.
enum Pause {
  static func milliseconds(_ count: Int64) {
    _ = poll(nil, 0, Int32(clamping: count))
  }
}
