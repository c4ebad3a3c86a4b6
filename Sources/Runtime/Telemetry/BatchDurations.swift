internal import Core
internal import Cost
internal import Synchronization
internal import Telemetry

/// How long batches took from the poll that brought them to their outputs, with the newest trace of each range.
package final class BatchDurations: Sendable {
  /// Upper bounds in microseconds; one more bucket takes what is above.
  package static let boundsMicroseconds: [Int64] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
  ]

  /// A trace that stands for a bucket (OpenMetrics 1.0).
  package struct Exemplar: Sendable, Equatable {
    package var traceID: String
    package var seconds: Double
    package var timeMilliseconds: Int64
  }

  private final class Bucket: Sendable {
    let count = Atomic<Int64>(0)
    let exemplar = Mutex<Exemplar?>(nil)
  }

  private let buckets = (0...BatchDurations.boundsMicroseconds.count).map { _ in Bucket() }
  private let sumNanoseconds = Atomic<Int64>(0)

  init() {}

  func record(nanoseconds: Int64, trace: TraceContext?) {
    let microseconds = nanoseconds / 1_000
    let index = Self.boundsMicroseconds.firstIndex { microseconds <= $0 } ?? buckets.count - 1
    buckets[index].count.wrappingAdd(1, ordering: .relaxed)
    sumNanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed)
    guard let trace, trace.isSampled else { return }
    let exemplar = Exemplar(
      traceID: trace.traceText, seconds: Double(nanoseconds) / 1e9, timeMilliseconds: WallClock.system.nowMilliseconds)
    _ = buckets[index].exemplar.withLockIfAvailable { $0 = exemplar }
  }

  /// Counts from the lowest range up, not yet summed.
  package var counts: [Int64] { buckets.map { $0.count.load(ordering: .relaxed) } }
  package var exemplars: [Exemplar?] { buckets.map { $0.exemplar.withLock { $0 } } }
  package var sumSeconds: Double { Double(sumNanoseconds.load(ordering: .relaxed)) / 1e9 }
}
