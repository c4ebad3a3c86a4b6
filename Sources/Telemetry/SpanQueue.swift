internal import Synchronization

/// Spans on their way to the exporter. Bounded, and nobody waits: what finds it full, or just being emptied, is dropped
/// and counted.
package final class SpanQueue: Sendable {
  private let spans = Mutex<[Span]>([])
  private let capacity: Int
  private let dropped = Atomic<Int64>(0)
  private let exported = Atomic<Int64>(0)
  private let failed = Atomic<Int64>(0)

  package init(capacity: Int = 8_192) { self.capacity = capacity }

  /// Any thread.
  package func offer(_ new: [Span]) {
    guard !new.isEmpty else { return }
    let left = spans.withLockIfAvailable { spans in
      let taken = min(max(capacity - spans.count, 0), new.count)
      spans += new[..<taken]
      return new.count - taken
    }
    let lost = left ?? new.count
    if lost > 0 { dropped.wrappingAdd(Int64(lost), ordering: .relaxed) }
  }

  /// The oldest spans.
  package func take(_ countMax: Int) -> [Span] {
    spans.withLock { spans in
      let taken = Array(spans.prefix(countMax))
      spans.removeFirst(taken.count)
      return taken
    }
  }

  /// What became of spans that were taken.
  package func note(exported count: Int) { exported.wrappingAdd(Int64(count), ordering: .relaxed) }
  package func note(failed count: Int) { failed.wrappingAdd(Int64(count), ordering: .relaxed) }

  package struct Counts: Sendable, Equatable {
    package var waiting: Int
    /// There was no room for them.
    package var dropped: Int64
    package var exported: Int64
    /// The collector did not take them.
    package var failed: Int64
  }

  package var counts: Counts {
    Counts(
      waiting: spans.withLock { $0.count }, dropped: dropped.load(ordering: .relaxed),
      exported: exported.load(ordering: .relaxed), failed: failed.load(ordering: .relaxed))
  }
}
