internal import Glibc

/// When two arms count as different, and when as alike, for somebody who looks again and again.
///
/// Different: the difference is larger than the limit for certain. Over all looks, windows, columns and points of a
/// comparison together the probability of saying so wrongly is at most `falseAlarmProbability`: the k-th look spends
/// the share 6/(π²k²) of it, and within a look it is divided evenly (Bonferroni). Alike: no difference larger than the
/// limit can be excluded at 1 % at any point (an intersection–union test: Berger, 1982). Between the two nothing is
/// said, and more rows are needed.
package struct ArmPolicy: Sendable {
  /// The largest difference of the distribution functions that is no matter.
  package var limit: Double
  package var falseAlarmProbability: Double
  /// Fewer keys, or as few that have most of the rows, are no sample.
  package var clustersMin: Int

  package init(limit: Double, falseAlarmProbability: Double = 0.01, clustersMin: Int = 20) {
    self.limit = limit
    self.falseAlarmProbability = falseAlarmProbability
    self.clustersMin = clustersMin
  }

  package enum State: String, Sendable {
    case undecided
    case exceeds
    case within
  }

  /// What a look has found.
  package struct Finding: Sendable {
    package var state: State
    /// The column that differs most.
    package var column: Int
    package var effect: Double
    /// The difference that is certain, and the one that cannot be excluded.
    package var lowerBound: Double
    package var upperBound: Double
    package var championCount: Int
    package var candidateCount: Int
    package var clusterCount: Int
    /// The first one is 1.
    package var look: Int
  }

  /// Judges the columns of one window together.
  ///
  /// - Parameters:
  ///   - look: how often this comparison was looked at, this time included.
  ///   - windows: how many windows a look goes through.
  /// - Returns: nil without columns.
  package func judge(_ columns: [ArmComparison], look: Int, windows: Int) -> Finding? {
    let looks = Double(max(look, 1))
    let spent = falseAlarmProbability * 6 / (Double.pi * Double.pi * looks * looks)
    let points = columns.reduce(0) { $0 + $1.points.count }
    guard points > 0 else { return nil }
    let tail = spent / Double(2 * points * max(windows, 1))
    let bounds = columns.map { column in
      let freedom = Int(column.evenClusterCount) - 1
      return (
        lower: column.lowerBound(deviations: Self.deviations(tail, freedom)),
        upper: column.upperBound(deviations: Self.deviations(0.01, freedom))
      )
    }
    // What is most certain; while nothing is, what is largest.
    guard
      let worst = columns.indices.max(by: {
        (bounds[$0].lower, columns[$0].effect) < (bounds[$1].lower, columns[$1].effect)
      })
    else { return nil }
    let isEnough = columns.allSatisfy { $0.evenClusterCount >= Double(clustersMin) }
    let state: State =
      !isEnough
      ? .undecided
      : bounds[worst].lower > limit ? .exceeds : bounds.allSatisfy { $0.upper <= limit } ? .within : .undecided
    return Finding(
      state: state, column: worst, effect: columns[worst].effect, lowerBound: bounds[worst].lower,
      upperBound: bounds[worst].upper, championCount: columns[worst].championCount,
      candidateCount: columns[worst].candidateCount, clusterCount: columns[worst].clusterCount, look: look)
  }

  /// Student's quantile with so many degrees of freedom, from the normal one (Abramowitz and Stegun 26.7.5).
  static func deviations(_ tail: Double, _ freedom: Int) -> Double {
    guard freedom > 0 else { return .infinity }
    let z = -NormalDistribution.quantile(tail)
    let (square, size) = (z * z, Double(freedom))
    let first = z * (square + 1) / 4
    let second = z * ((5 * square + 16) * square + 3) / 96
    let third = z * (((3 * square + 19) * square + 17) * square - 15) / 384
    return z + (first + (second + third / size) / size) / size
  }
}
