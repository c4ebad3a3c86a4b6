internal import Glibc

/// ADWIN: a window that grows while the mean of the stream stays, and says when two parts of it differ.
///
/// Bifet, Gavaldà: Learning from Time-Changing Data with Adaptive Windowing (2007); the bound, the checks and the
/// restart after a detection as in river. Memory is logarithmic in the length of the window; the state is a plain
/// value.
package struct AdaptiveWindow: Sendable, Equatable {
  package struct Configuration: Sendable, Equatable {
    /// The probability of a false alarm at one check, at most.
    package var significance = 0.002
    /// Values between two checks.
    package var clock = 32
    /// Buckets of one size before two of them become one of twice the size.
    package var bucketsPerSize = 5
    /// The fewest values on either side of a cut.
    package var minimumSideCount = 5
    /// Values before the first check.
    package var gracePeriod = 10

    package init() {}
  }

  private struct Bucket: Sendable, Equatable {
    var total: Double
    var variance: Double
  }

  package let configuration: Configuration
  /// Rows of buckets: each bucket of row k stands for 2^k values; the oldest one of a row comes first.
  private var rows: [[Bucket]] = [[]]
  /// Values in the window.
  package private(set) var count = 0
  private var total = 0.0
  /// The sum of squared deviations from the mean.
  private var deviations = 0.0
  private var ticks = 0

  package init(_ configuration: Configuration = .init()) { self.configuration = configuration }

  package var mean: Double? { count == 0 ? nil : total / Double(count) }

  /// Takes the next value; what is not finite is left out.
  ///
  /// - Returns: whether the mean has changed; the window then begins anew with the next value.
  @discardableResult
  package mutating func add(_ value: Double) -> Bool {
    guard value.isFinite else { return false }
    insert(value)
    ticks += 1
    guard ticks % max(configuration.clock, 1) == 0, count > configuration.gracePeriod, findsCut() else { return false }
    self = AdaptiveWindow(configuration)
    return true
  }

  private mutating func insert(_ value: Double) {
    rows[0].append(Bucket(total: value, variance: 0))
    if count > 0 {
      let before = Double(count)
      let deviation = value - total / before
      deviations += before * deviation * deviation / (before + 1)
    }
    count += 1
    total += value
    var row = 0
    while rows[row].count > configuration.bucketsPerSize {
      if row + 1 == rows.count { rows.append([]) }
      let (first, second) = (rows[row][0], rows[row][1])
      let size = Double(1 << row)
      let difference = (first.total - second.total) / size
      rows[row + 1].append(
        Bucket(
          total: first.total + second.total,
          variance: first.variance + second.variance + size / 2 * difference * difference))
      rows[row].removeFirst(2)
      row += 1
    }
  }

  /// Whether the window can be cut, at the end of some bucket, into parts whose means differ by more than chance
  /// allows.
  private func findsCut() -> Bool {
    let all = Double(count)
    let logarithm = log(2 * log(all) / configuration.significance)
    let variance = deviations / all
    var (older, olderTotal) = (0.0, 0.0)
    for row in rows.indices.reversed() {
      for bucket in rows[row] {
        older += Double(1 << row)
        olderTotal += bucket.total
        let newer = all - older
        let least = Double(configuration.minimumSideCount)
        guard older >= least, newer >= least else { continue }
        let inverse = 1 / (older - least + 1) + 1 / (newer - least + 1)
        let bound = (2 * inverse * variance * logarithm).squareRoot() + 2.0 / 3 * logarithm * inverse
        if (olderTotal / older - (total - olderTotal) / newer).magnitude > bound { return true }
      }
    }
    return false
  }
}
