/// Statistics of two profiles on one grid: what can be said when values were not kept.
package struct ProfileStatistics: Sendable {
  private let reference: NumericProfile
  private let current: NumericProfile
  /// Shares of the values below each edge, with 0 in front and 1 behind.
  private let referenceBelow: [Double]
  private let currentBelow: [Double]

  /// - Returns: nil when a side has no values.
  /// - Precondition: both are on the same grid.
  package init?(_ reference: NumericProfile, _ current: NumericProfile) {
    precondition(reference.grid == current.grid, "profiles on different grids cannot be compared")
    guard reference.count > 0, current.count > 0 else { return nil }
    self.reference = reference
    self.current = current
    referenceBelow = Self.cumulative(reference.counts)
    currentBelow = Self.cumulative(current.counts)
  }

  private static func cumulative(_ counts: [Int]) -> [Double] {
    let total = Double(counts.reduce(0, +))
    var below = 0
    return [0]
      + counts.map { count in
        below += count
        return Double(below) / total
      }
  }

  /// Shares in the coarse bins: exact.
  package var shares: ShareDistances? {
    ShareDistances(
      reference: reference.grid.coarse(reference.counts), current: reference.grid.coarse(current.counts))
  }

  /// Both samples random, in the coarse bins: exact.
  package var chiSquared: ChiSquared? {
    ChiSquared.twoSample(
      reference: reference.grid.coarse(reference.counts), current: reference.grid.coarse(current.counts))
  }

  /// sup |F - G|: attained at least at an edge, and within a bin at most what its mass allows.
  package var kolmogorovSmirnov: Estimate {
    var (lower, upper) = (0.0, 0.0)
    for bin in reference.counts.indices {
      let (f, g) = (referenceBelow[bin], currentBelow[bin])
      let (nextF, nextG) = (referenceBelow[bin + 1], currentBelow[bin + 1])
      lower = max(lower, (nextF - nextG).magnitude)
      upper = max(upper, nextF - g, nextG - f)
    }
    return Estimate(lower, lowerBound: lower, upperBound: min(max(upper, lower), 1))
  }

  /// The area between the two distributions of the finite values. The value takes each bin's values to be spread
  /// evenly; the bounds hold for any that would give these counts, extremes and means. Nil when a side has no finite
  /// value.
  package var wasserstein: Estimate? {
    let (first, second) = (reference.moments, current.moments)
    guard let firstMean = first.mean, let secondMean = second.mean else { return nil }
    let ends = [min(first.minimum, second.minimum)] + reference.grid.edges + [max(first.maximum, second.maximum)]
    let f = Self.finiteCumulative(reference)
    let g = Self.finiteCumulative(current)
    var (value, lower, upper) = (0.0, 0.0, 0.0)
    for bin in reference.counts.indices {
      let width = ends[bin + 1] - ends[bin]
      guard width > 0 else { continue }
      let (before, after) = (f[bin] - g[bin], f[bin + 1] - g[bin + 1])
      value += width * Self.areaUnderLine(before, after)
      upper += width * max(f[bin + 1] - g[bin], g[bin + 1] - f[bin], 0)
      lower += width * max(f[bin] - g[bin + 1], g[bin] - f[bin + 1], 0)
    }
    // Moving the mean takes at least that much work.
    lower = min(max(lower, (firstMean - secondMean).magnitude), upper)
    return Estimate(min(max(value, lower), upper), lowerBound: lower, upperBound: upper)
  }

  private static func finiteCumulative(_ profile: NumericProfile) -> [Double] {
    var counts = profile.counts
    counts[0] -= profile.moments.negativeInfinityCount
    counts[counts.count - 1] -= profile.moments.positiveInfinityCount
    return cumulative(counts)
  }

  /// ∫₀¹ |a + (b - a) t| dt.
  private static func areaUnderLine(_ a: Double, _ b: Double) -> Double {
    if a * b >= 0 { return (a + b).magnitude / 2 }
    return (a * a + b * b) / (2 * (a.magnitude + b.magnitude))
  }
}
