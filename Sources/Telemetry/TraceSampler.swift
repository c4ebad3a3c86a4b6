internal import Core

/// Which traces are kept, and new ids. Belongs to one thread.
///
/// Parent-based: what continues a trace that is sampled is sampled. Of traces that begin here a share is, by the lower
/// half of the trace's id (OpenTelemetry's `TraceIdRatioBased`), so that every process decides alike.
package struct TraceSampler: Sendable {
  private var random: SplitMix64
  private let bound: UInt64

  /// - Parameter ratio: of traces that begin here, 0 to 1.
  package init(ratio: Double, seed: UInt64) {
    random = SplitMix64(seed: seed)
    let share = min(max(ratio, 0), 1)
    bound = share >= 1 ? 1 << 63 : UInt64(share * 0x1p63)
  }

  /// A new trace.
  package mutating func root() -> TraceContext {
    let lower = random.next()
    return TraceContext(upper: random.next(), lower: lower, span: span(), isSampled: lower >> 1 < bound)
  }

  package mutating func span() -> UInt64 {
    while true {
      let id = random.next()
      if id != 0 { return id }
    }
  }
}
