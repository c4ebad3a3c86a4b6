internal import Glibc

/// What a test draws its events, orders and times from.
package enum TestSeed {
  /// `HEADRACE_SEED` where a run is repeated, another one each time otherwise; a test prints it when it fails.
  package static func next() -> UInt64 {
    guard let text = unsafe getenv("HEADRACE_SEED") else { return UInt64.random(in: .min ... .max) }
    return UInt64(unsafe String(cString: text)) ?? UInt64.random(in: .min ... .max)
  }
}
