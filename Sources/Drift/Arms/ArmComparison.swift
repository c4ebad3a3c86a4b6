/// How far apart the numbers of two arms lie, and how certain that is.
///
/// The effect is the largest difference of their distribution functions (Kolmogorov–Smirnov's D). Rows of one key are
/// alike, so that a p-value which takes rows for independent finds differences in chance: here the standard error of
/// the difference at each of some points is that of the jackknife over whole clusters of rows (Cameron and Miller: A
/// Practitioner's Guide to Cluster-Robust Inference, 2015). Where both arms saw the same events, what a cluster adds to
/// both is subtracted first: what they share says nothing about their difference.
package struct ArmComparison: Sendable {
  /// The difference of the distribution functions at one point.
  struct Point: Sendable {
    var difference: Double
    var standardError: Double
  }

  /// D over all values.
  package let effect: Double
  package let championCount: Int
  package let candidateCount: Int
  /// Keys, or parts of their hashes that several may share.
  package let clusterCount: Int
  /// As many clusters of one size would be as good (Kish: Survey Sampling, 1965); of the arm that has fewer.
  let evenClusterCount: Double
  let points: [Point]

  /// Of each arm.
  private static let quantileCount = 15

  private struct Row {
    var value: Double
    var weight: Double
    var cluster: Int
  }

  /// Compares one column of the rows of stretches of the log.
  ///
  /// Missing values lie below all others: another share of them is a difference.
  ///
  /// - Parameter isPaired: both arms have a row of each event.
  /// - Returns: nil when an arm has no rows.
  package init?(champion: [ArmRows], candidate: [ArmRows], column: Int, isPaired: Bool) {
    let (first, second) = (Self.rows(champion, column), Self.rows(candidate, column))
    guard !first.isEmpty, !second.isEmpty else { return nil }
    championCount = champion.reduce(0) { $0 + $1.seenCount }
    candidateCount = candidate.reduce(0) { $0 + $1.seenCount }
    effect = Self.distance(first, second)
    let places = Set(Self.quantiles(first) + Self.quantiles(second)).sorted()
    let (one, other) = (Contributions(first, places), Contributions(second, places))
    clusterCount = one.countOfClusters(with: other)
    evenClusterCount = min(one.evenClusterCount, other.evenClusterCount)
    points = places.indices.map { place in
      var variance = one.variance(with: other, at: place)
      // Keys that happen to be alike are not less uncertain than rows that are independent.
      if !isPaired { variance = max(variance, one.binomialVariance(place) + other.binomialVariance(place)) }
      return Point(
        difference: other.below[place] - one.below[place], standardError: max(variance, 0).squareRoot())
    }
  }

  /// The largest difference that is certain at so many standard errors.
  package func lowerBound(deviations: Double) -> Double {
    points.reduce(0) { max($0, $1.difference.magnitude - deviations * $1.standardError) }
  }

  /// The largest difference that cannot be excluded at so many standard errors; at least the effect.
  package func upperBound(deviations: Double) -> Double {
    points.reduce(effect) { max($0, $1.difference.magnitude + deviations * $1.standardError) }
  }

  private static func rows(_ stretches: [ArmRows], _ column: Int) -> [Row] {
    var rows: [Row] = []
    rows.reserveCapacity(stretches.reduce(0) { $0 + $1.keptCount })
    for stretch in stretches where column < stretch.width {
      let weight = stretch.weight
      for index in stretch.clusters.indices {
        let value = stretch.values[index * stretch.width + column]
        rows.append(
          Row(value: value.isNaN ? -.infinity : value, weight: weight, cluster: Int(stretch.clusters[index])))
      }
    }
    return rows.sorted { $0.value < $1.value }
  }

  private static func quantiles(_ rows: [Row]) -> [Double] {
    (1...quantileCount).map { rows[$0 * (rows.count - 1) / (quantileCount + 1)].value }
  }

  /// sup |F - G| of weighted values, in one pass over both.
  private static func distance(_ first: [Row], _ second: [Row]) -> Double {
    let totals = (first.reduce(0) { $0 + $1.weight }, second.reduce(0) { $0 + $1.weight })
    var (i, j) = (0, 0)
    var (below, belowOther, largest) = (0.0, 0.0, 0.0)
    while i < first.count || j < second.count {
      let value = min(i < first.count ? first[i].value : .infinity, j < second.count ? second[j].value : .infinity)
      while i < first.count, first[i].value <= value {
        below += first[i].weight
        i += 1
      }
      while j < second.count, second[j].value <= value {
        belowOther += second[j].weight
        j += 1
      }
      largest = max(largest, (below / totals.0 - belowOther / totals.1).magnitude)
    }
    return largest
  }
}

extension ArmComparison {
  /// What each cluster of an arm adds to its distribution function at each point.
  private struct Contributions {
    /// The distribution function at each point.
    var below: [Double]
    private var counts: [Int]
    /// By cluster and point: weights at or below the point, over all weights.
    private var sums: [Double]
    /// By cluster: its weights, over all weights.
    private var shares: [Double]
    private var rowCount: Int

    private static let clusters = ArmRows.clusterParts

    /// - Parameters:
    ///   - rows: sorted by value.
    ///   - places: rising.
    init(_ rows: [Row], _ places: [Double]) {
      let width = places.count
      let total = rows.reduce(0) { $0 + $1.weight }
      rowCount = rows.count
      counts = [Int](repeating: 0, count: Self.clusters)
      shares = [Double](repeating: 0, count: Self.clusters)
      sums = [Double](repeating: 0, count: Self.clusters * width)
      var place = 0
      for row in rows {
        while place < width, row.value > places[place] { place += 1 }
        counts[row.cluster] += 1
        shares[row.cluster] += row.weight / total
        if place < width { sums[row.cluster * width + place] += row.weight / total }
      }
      below = [Double](repeating: 0, count: width)
      for cluster in 0..<Self.clusters where counts[cluster] > 0 {
        var sum = 0.0
        for place in 0..<width {
          sum += sums[cluster * width + place]
          sums[cluster * width + place] = sum
          below[place] += sum
        }
      }
    }

    func countOfClusters(with other: Contributions) -> Int {
      counts.indices.count { counts[$0] > 0 || other.counts[$0] > 0 }
    }

    var evenClusterCount: Double { 1 / shares.reduce(0) { $0 + $1 * $1 } }

    /// Of the difference of both distribution functions: the sum of the squares of what leaving a cluster out changes.
    func variance(with other: Contributions, at place: Int) -> Double {
      var sum = 0.0
      for cluster in 0..<Self.clusters where counts[cluster] > 0 || other.counts[cluster] > 0 {
        let change = other.change(cluster, place) - change(cluster, place)
        sum += change * change
      }
      return sum.isNaN ? .infinity : sum
    }

    private func change(_ cluster: Int, _ place: Int) -> Double {
      let share = shares[cluster]
      return (sums[cluster * below.count + place] - below[place] * share) / (1 - share)
    }

    /// Of independent rows; two more on either side keep it from being none at the ends (Agresti and Coull, 1998).
    func binomialVariance(_ place: Int) -> Double {
      let size = Double(rowCount)
      let share = (below[place] * size + 2) / (size + 4)
      return share * (1 - share) / size
    }
  }
}
