#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The wall clock as a value, so that tests own time.
package struct WallClock: Sendable {
  private let read: @Sendable () -> Int64

  /// - Parameter read: milliseconds since 1970-01-01T00:00:00Z.
  package init(_ read: @escaping @Sendable () -> Int64) { self.read = read }

  package var nowMilliseconds: Int64 { read() }

  package static let system = WallClock { milliseconds(of: CLOCK_REALTIME) }

  /// Never goes back; its zero means nothing.
  package static let monotonic = WallClock { milliseconds(of: CLOCK_MONOTONIC) }

  /// Of the same clock as `monotonic`.
  package static var monotonicNanoseconds: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func milliseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
