import Core
import Glibc
import Testing

@testable import Drift

@Suite struct ArmComparisonTests {
  @Test func `the effect is Kolmogorov and Smirnov's statistic`() throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      var (champion, candidate) = (ArmRows(width: 1, seed: 1), ArmRows(width: 1, seed: 2))
      var values: ([Double], [Double]) = ([], [])
      // Few different values: ties.
      let steps = 2 + random.next() % 1_000
      for _ in 0..<(5 + random.next() % 400) {
        let value = Double(random.next() % steps)
        values.0.append(value)
        champion.add(cluster: random.next()) { $0.append(value) }
      }
      for _ in 0..<(5 + random.next() % 400) {
        let value = Double(random.next() % (steps + 3))
        values.1.append(value)
        candidate.add(cluster: random.next()) { $0.append(value) }
      }
      let found = try #require(
        ArmComparison(champion: [champion], candidate: [candidate], column: 0, isPaired: false))
      let expected = KolmogorovSmirnov.statistic(NumericSample(values.0), NumericSample(values.1))
      #expect(abs(found.effect - (expected ?? -1)) < 1e-12, "seed \(seed)")
      #expect(found.lowerBound(deviations: 0) <= found.effect + 1e-12, "seed \(seed)")
      #expect(found.upperBound(deviations: 2) >= found.effect, "seed \(seed)")
    }
  }

  /// The spread of the difference over many samples, against the error that each of them claims.
  @Test(arguments: [false, true]) func `standard errors are those of keys, not of rows`(isPaired: Bool) throws {
    let runs = 300
    var (differences, claimed, naive): ([Double], Double, Double) = ([], 0, 0)
    for seed in 0..<UInt64(runs) {
      var population = ArmPopulation(seed: 1_000 + seed)
      population.keyCount = 150
      population.shift = isPaired ? 0.3 : 0
      var (champion, candidate) = (ArmRows(width: 1, seed: 1), ArmRows(width: 1, seed: 1))
      for _ in 0..<1_000 {
        let event = population.next()
        // Whether the score is above one half: the difference of the distribution functions at that place.
        let (one, other) = (event.champion > 0.5 ? 1.0 : 0, event.candidate > 0.5 ? 1.0 : 0)
        if isPaired || !event.isCandidates { champion.add(cluster: event.cluster) { $0.append(one) } }
        if isPaired || event.isCandidates { candidate.add(cluster: event.cluster) { $0.append(other) } }
      }
      let comparison = try #require(
        ArmComparison(champion: [champion], candidate: [candidate], column: 0, isPaired: isPaired))
      let point = try #require(comparison.points.first)
      differences.append(point.difference)
      claimed += point.standardError * point.standardError / Double(runs)
      naive += 0.25 * (1 / Double(champion.keptCount) + 1 / Double(candidate.keptCount)) / Double(runs)
    }
    let mean = differences.reduce(0, +) / Double(runs)
    let spread = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(runs - 1)
    print(
      "\(isPaired ? "paired" : "apart"): spread \(spread.squareRoot()), claimed \(claimed.squareRoot()), "
        + "of independent rows \(naive.squareRoot())")
    #expect(abs(claimed / spread - 1) < 0.3)
    #expect(isPaired ? naive > 2 * spread : naive < 0.5 * spread)
  }

  @Test func `a sample is even, bounded, and keeps pairs together`() {
    var (one, other) = (ArmRows(width: 2, seed: 9), ArmRows(width: 2, seed: 9))
    for number in 0..<100_000 {
      one.add(cluster: UInt64(number)) { $0 += [Double(number), 1] }
      other.add(cluster: UInt64(number)) { $0 += [Double(-number)] }
    }
    #expect(one.keptCount == ArmRows.rowsMax && one.seenCount == 100_000)
    let kept = (0..<one.keptCount).map { one.values[$0 * 2] }
    #expect((0..<other.keptCount).map { -other.values[$0 * 2] } == kept)
    #expect((0..<other.keptCount).allSatisfy { other.values[$0 * 2 + 1].isNaN })
    // Uniform: the mean of 2,048 numbers lies within four of its standard errors.
    let mean = kept.reduce(0, +) / Double(kept.count)
    #expect(abs(mean - 50_000) < 4 * 28_868 / Double(kept.count).squareRoot(), "\(mean)")
    #expect(ArmRows(width: 100_000, seed: 0).keptCount == 0)
  }

  @Test func `quantiles of Student's distribution`() {
    // Of scipy.stats.t.isf.
    for (tail, freedom, expected) in [
      (0.01, 19, 2.539_483_190_622_288), (1e-4, 40, 4.094_005_9), (1e-5, 100, 4.475_9), (0.01, 1_000_000, 2.326_35),
    ] {
      #expect(abs(ArmPolicy.deviations(tail, freedom) / expected - 1) < 0.01, "\(tail) \(freedom)")
    }
    #expect(ArmPolicy.deviations(0.01, 0) == .infinity)
  }
}
