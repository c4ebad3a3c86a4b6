/// The values of one numeric feature in one window, in rising order: what exact statistics work on.
///
/// NaN and null are missing. Infinities are counted apart: rank statistics see them as the greatest and least values,
/// statistics of magnitude (`finite`) leave them out.
package struct NumericSample: Sendable, Equatable {
  /// Sorted, without NaN.
  package let values: [Double]
  package let missingCount: Int
  /// Where the finite ones lie in `values`.
  let finiteRange: Range<Int>

  package init(_ values: [Double], missingCount: Int = 0) {
    let isComplete = !values.contains { $0.isNaN }
    var sorted = isComplete ? values : values.filter { !$0.isNaN }
    RadixSort.sort(&sorted)
    self.init(sorted: sorted, missingCount: missingCount + values.count - sorted.count)
  }

  /// - Precondition: `sorted` is in rising order and holds no NaN.
  init(sorted: [Double], missingCount: Int) {
    values = sorted
    self.missingCount = missingCount
    finiteRange =
      sorted.partitioningIndex { $0 > -.infinity }..<sorted.partitioningIndex { $0 == .infinity }
  }

  package var count: Int { values.count }
  package var finite: ArraySlice<Double> { values[finiteRange] }
  /// The same without infinities.
  var onlyFinite: NumericSample {
    finiteRange.count == values.count ? self : NumericSample(sorted: Array(finite), missingCount: missingCount)
  }

  /// Rows in all: values and missing.
  package var rowCount: Int { values.count + missingCount }
  package var missingShare: Double { rowCount == 0 ? 0 : Double(missingCount) / Double(rowCount) }

  /// The value at a fraction of the ranks, by linear interpolation between the two nearest (numpy's default).
  package func quantile(_ fraction: Double) -> Double? {
    guard let last = values.indices.last else { return nil }
    let position = min(max(fraction, 0), 1) * Double(last)
    let below = min(Int(position), last)
    let (low, high) = (values[below], values[min(below + 1, last)])
    let part = position - Double(below)
    if part == 0 || low == high { return low }
    // From the nearer end, as numpy does: the same rounding.
    return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part)
  }

  /// How many different values there are, counting at most `limit` + 1 of them.
  func distinctCount(limit: Int) -> Int {
    var (count, previous) = (0, Double.nan)
    for value in values where value != previous {
      count += 1
      previous = value
      if count > limit { break }
    }
    return count
  }

  /// Mean and population variance (ddof 0) of the finite values.
  package var meanAndVariance: (mean: Double, variance: Double)? {
    guard !finite.isEmpty else { return nil }
    let size = Double(finite.count)
    let mean = PairwiseSum.sum(finite) / size
    let variance = PairwiseSum.sum(finite) { ($0 - mean) * ($0 - mean) } / size
    return (mean, variance)
  }

  package var standardDeviation: Double? { meanAndVariance.map { $0.variance.squareRoot() } }
}

extension RandomAccessCollection {
  /// The first index whose element is on the far side of a partition.
  func partitioningIndex(where isBeyond: (Element) -> Bool) -> Index {
    var (low, count) = (startIndex, count)
    while count > 0 {
      let half = count / 2
      let middle = index(low, offsetBy: half)
      if isBeyond(self[middle]) {
        count = half
      } else {
        low = index(after: middle)
        count -= half + 1
      }
    }
    return low
  }
}
