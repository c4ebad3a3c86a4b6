internal import Glibc

/// Distances between two distributions over the same bins or categories.
///
/// All take counts, one per bin, in the same order. They are nil when a side is empty; 0 on equal shares.
package struct ShareDistances: Sendable {
  /// Shares of the reference (p) and of the current window (q).
  package let reference: [Double]
  package let current: [Double]

  package init?(reference: [Int], current: [Int]) {
    guard reference.count == current.count, let p = Self.shares(reference), let q = Self.shares(current) else {
      return nil
    }
    self.reference = p
    self.current = q
  }

  private static func shares(_ counts: [Int]) -> [Double]? {
    let total = counts.reduce(0) { $0 &+ $1 }
    guard total > 0 else { return nil }
    return counts.map { Double($0) / Double(total) }
  }

  /// Σ (q - p) ln(q / p), with shares below `floor` set to it and nothing renormalised. Symmetric.
  package func populationStabilityIndex(floor: Double = 1e-4) -> Double {
    psi(reference.map { max($0, floor) }, current.map { max($0, floor) })
  }

  func psi(_ p: [Double], _ q: [Double]) -> Double {
    zip(p, q).reduce(0) { sum, pair in sum + (pair.1 - pair.0) * log(pair.1 / pair.0) }
  }

  /// Σ p ln(p / q) of shares that are scaled to a sum of 1 first.
  func kullbackLeibler(_ p: [Double], _ q: [Double]) -> Double {
    let (total, other) = (p.reduce(0, +), q.reduce(0, +))
    return zip(p, q).reduce(0) { sum, pair in
      pair.0 == 0 ? sum : sum + pair.0 / total * log((pair.0 / total) / (pair.1 / other))
    }
  }

  /// The Jensen–Shannon divergence in nats, 0 to ln 2. Symmetric.
  package var jensenShannonDivergence: Double {
    var sum = 0.0
    for (p, q) in zip(reference, current) {
      let middle = (p + q) / 2
      if p > 0 { sum += p * log(p / middle) }
      if q > 0 { sum += q * log(q / middle) }
    }
    return max(sum / 2, 0)
  }

  /// The square root of the divergence: a metric. In nats up to √ln 2; with `base` 2 up to 1.
  package func jensenShannonDistance(base: Double? = nil) -> Double {
    (jensenShannonDivergence / (base.map { log($0) } ?? 1)).squareRoot()
  }

  /// √(½ Σ (√p - √q)²), 0 to 1. A metric.
  package var hellinger: Double {
    let sum = zip(reference, current).reduce(0.0) { sum, pair in
      let difference = pair.0.squareRoot() - pair.1.squareRoot()
      return sum + difference * difference
    }
    return (sum / 2).squareRoot()
  }

  /// ½ Σ |p - q|, 0 to 1: the largest difference in the probability of any set of bins. A metric.
  package var totalVariation: Double {
    zip(reference, current).reduce(0.0) { $0 + ($1.0 - $1.1).magnitude } / 2
  }

  /// max |p - q|.
  package var largestDifference: Double {
    zip(reference, current).reduce(0.0) { max($0, ($1.0 - $1.1).magnitude) }
  }
}
