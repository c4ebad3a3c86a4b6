internal import Synchronization

/// What an event costs by the size of its batch: a bucket for each power of two. Any thread adds, without waiting.
package final class BatchSizeMeter: Sendable {
  private final class Bucket: Sendable {
    let batches = Atomic<Int64>(0)
    let rows = Atomic<Int64>(0)
    let nanoseconds = Atomic<Int64>(0)
  }

  private let buckets = (0..<21).map { _ in Bucket() }

  package init() {}

  package func add(rows: Int, nanoseconds: Int64) {
    guard rows > 0 else { return }
    let bucket = buckets[min(Int.bitWidth - 1 - rows.leadingZeroBitCount, buckets.count - 1)]
    bucket.batches.wrappingAdd(1, ordering: .relaxed)
    bucket.rows.wrappingAdd(Int64(rows), ordering: .relaxed)
    bucket.nanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed)
  }

  package var curve: BatchCurve {
    BatchCurve(
      points: buckets.compactMap { bucket in
        let batches = bucket.batches.load(ordering: .relaxed)
        guard batches > 0 else { return nil }
        return BatchCurve.Point(
          batches: batches, rows: bucket.rows.load(ordering: .relaxed),
          nanoseconds: bucket.nanoseconds.load(ordering: .relaxed))
      })
  }
}

/// CPU by batch size, and where larger batches no longer pay.
package struct BatchCurve: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    package var batches: Int64
    package var rows: Int64
    package var nanoseconds: Int64

    package init(batches: Int64, rows: Int64, nanoseconds: Int64) {
      self.batches = batches
      self.rows = rows
      self.nanoseconds = nanoseconds
    }

    package var meanRows: Double { Double(rows) / Double(max(batches, 1)) }
    package var nanosecondsPerRow: Double { Double(nanoseconds) / Double(max(rows, 1)) }
  }

  /// From small batches to large ones.
  package var points: [Point]

  package init(points: [Point]) { self.points = points }

  /// A batch of n rows costs `perBatch + n · perRow` nanoseconds: the weighted least squares of the points.
  package struct Line: Sendable, Equatable {
    package var perBatch: Double
    package var perRow: Double

    /// The batch size from which on the fixed part is less than a tenth of the cost of its rows.
    package var knee: Double { perRow > 0 ? 10 * perBatch / perRow : 0 }
  }

  /// - Returns: nil with fewer than two sizes, or when larger batches cost less altogether: then time is noise.
  package var line: Line? {
    var (weight, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for point in points {
      let rows = point.meanRows
      let cost = Double(point.nanoseconds) / Double(max(point.batches, 1))
      // Relative errors are alike: a small batch counts as much as a large one.
      let own = Double(point.batches) / (cost * cost + 1)
      weight += own
      x += own * rows
      y += own * cost
      xx += own * rows * rows
      xy += own * rows * cost
    }
    let determinant = weight * xx - x * x
    guard points.count > 1, determinant > 1e-9 * weight * xx else { return nil }
    let perRow = (weight * xy - x * y) / determinant
    guard perRow > 0 else { return nil }
    return Line(perBatch: max((y - perRow * x) / weight, 0), perRow: perRow)
  }
}
