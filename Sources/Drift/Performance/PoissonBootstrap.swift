internal import Core
internal import Glibc

/// Confidence intervals of figures that have no closed form, by resampling (Efron 1979) in the Poisson form: every
/// event counts in each replicate as often as its identity and the seed say, so the order of the events and the
/// partitions that they came from do not matter.
package struct PoissonBootstrap: Sendable {
  package var replicates: Int
  package var seed: UInt64

  package init(replicates: Int = 200, seed: UInt64 = 1) {
    self.replicates = max(replicates, 2)
    self.seed = seed
  }

  /// How often an event counts in a replicate.
  package func weight(event identity: UInt64, replicate: Int) -> Int {
    var random = SplitMix64(seed: identity ^ (seed &+ UInt64(replicate) &* 0x9e37_79b9_7f4a_7c15))
    let draw = Double(random.next() >> 11) * 0x1p-53
    var (count, term) = (0, exp(-1.0))
    var total = term
    while draw >= total, count < 20 {
      count += 1
      term /= Double(count)
      total += term
    }
    return count
  }

  /// The percentiles of a figure over all replicates.
  ///
  /// - Parameters:
  ///   - identities: one for each event (a hash of its id, or of topic, partition and offset).
  ///   - figure: computed from the weight of each event; nil where it has no value.
  package func interval(
    identities: [UInt64], confidence: Double = 0.95, figure: (_ weights: [Int]) -> Double?
  ) -> Interval? {
    guard let value = figure([Int](repeating: 1, count: identities.count)) else { return nil }
    let figures = (0..<replicates).compactMap { replicate in
      figure(identities.map { weight(event: $0, replicate: replicate) })
    }
    let sample = NumericSample(figures)
    let tail = (1 - confidence) / 2
    guard let lower = sample.quantile(tail), let upper = sample.quantile(1 - tail) else { return nil }
    return Interval(value: value, lower: lower, upper: upper)
  }
}
