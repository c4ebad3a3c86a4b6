import Core
import Testing

@testable import Drift

/// Naive definitions beside the clever ones.
@Suite struct StatisticOracleTests {
  private func values(_ count: Int, _ random: inout SplitMix64, ties: Bool, specials: Bool = false) -> [Double] {
    (0..<count).map { _ in
      let value = specials ? random.awkward() : random.bell()
      return ties ? (value * 2).rounded() / 2 : value
    }
  }

  private func below(_ values: [Double], _ point: Double) -> Double {
    Double(values.count { $0 <= point }) / Double(values.count)
  }

  @Test(arguments: 0..<40)
  func `Kolmogorov-Smirnov and Wasserstein by their definitions`(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let first = values(Int.random(in: 1...60, using: &random), &random, ties: seed % 2 == 0, specials: seed % 3 == 0)
    let second = values(Int.random(in: 1...60, using: &random), &random, ties: seed % 2 == 0, specials: seed % 3 == 0)
    let (a, b) = (first.filter { !$0.isNaN }, second.filter { !$0.isNaN })
    let (reference, current) = (NumericSample(first), NumericSample(second))
    #expect(reference.missingCount == first.count - a.count)
    guard !a.isEmpty, !b.isEmpty else { return #expect(KolmogorovSmirnov.statistic(reference, current) == nil) }
    let points = a + b
    let largest = points.map { (below(a, $0) - below(b, $0)).magnitude }.max() ?? 0
    #expect(isNear(try #require(KolmogorovSmirnov.statistic(reference, current)), largest))
    #expect(KolmogorovSmirnov.statistic(current, reference) == KolmogorovSmirnov.statistic(reference, current))
    let (finiteA, finiteB) = (a.filter(\.isFinite), b.filter(\.isFinite))
    // Sums of values near the largest double are not what this is about.
    guard !finiteA.isEmpty, !finiteB.isEmpty, (finiteA + finiteB).allSatisfy({ $0.magnitude < 1e15 }) else { return }
    let steps = (finiteA + finiteB).sorted()
    let area = zip(steps, steps.dropFirst()).reduce(0.0) { sum, step in
      sum + (below(finiteA, step.0) - below(finiteB, step.0)).magnitude * (step.1 - step.0)
    }
    #expect(isNear(try #require(WassersteinDistance.exact(reference, current)), area, absolute: 1e-9, relative: 1e-9))
  }

  /// All orders of n and m values, one by one.
  private func exactByCounting(_ n: Int, _ m: Int, _ statistic: Double) -> Double {
    var (extreme, all) = (0, 0)
    for mask in 0..<(1 << (n + m)) where mask.nonzeroBitCount == n {
      var (i, j, largest) = (0, 0, 0.0)
      for place in 0..<(n + m) {
        if mask >> place & 1 == 1 { i += 1 } else { j += 1 }
        largest = max(largest, (Double(i) / Double(n) - Double(j) / Double(m)).magnitude)
      }
      all += 1
      if largest > statistic - 1e-12 { extreme += 1 }
    }
    return Double(extreme) / Double(all)
  }

  @Test func `the exact probability counts all orders`() {
    for n in 1...6 {
      for m in 1...6 {
        for i in 0...n {
          for j in 0...m {
            let statistic = (Double(i) / Double(n) - Double(j) / Double(m)).magnitude
            let found = KolmogorovSmirnov.pValue(statistic, referenceCount: n, currentCount: m, method: .exact)
            #expect(isNear(found, exactByCounting(n, m, statistic), absolute: 1e-9), "\(n) \(m) \(statistic)")
          }
        }
      }
    }
  }

  @Test func `probabilities fall with the statistic, and both methods meet`() {
    for (n, m) in [(20, 20), (50, 31), (400, 400), (1_000, 777)] {
      var previous = (1.0, 1.0)
      for step in 0...40 {
        let statistic = Double(step) / 40
        let exact = KolmogorovSmirnov.pValue(statistic, referenceCount: n, currentCount: m, method: .exact)
        let asymptotic = KolmogorovSmirnov.pValue(statistic, referenceCount: n, currentCount: m, method: .asymptotic)
        #expect(exact <= previous.0 + 1e-12 && asymptotic <= previous.1 + 1e-9, "\(n) \(m) \(statistic)")
        #expect((0...1).contains(exact) && (0...1).contains(asymptotic))
        if min(n, m) >= 400 { #expect((exact - asymptotic).magnitude < 0.07) }
        previous = (exact, asymptotic)
      }
    }
    #expect(KolmogorovSmirnov.pValue(0.3, referenceCount: 0, currentCount: 3).isNaN)
    #expect(KolmogorovSmirnov.pValue(0.5, referenceCount: 1 << 40, currentCount: 1 << 40) == 0)
  }

  @Test(arguments: 0..<20)
  func `share distances are symmetric, zero on equal shares, and within their bounds`(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let bins = Int.random(in: 1...12, using: &random)
    let (p, q) = (
      (0..<bins).map { _ in Int.random(in: 0...30, using: &random) },
      (0..<bins).map { _ in Int.random(in: 0...30, using: &random) }
    )
    guard p.contains(where: { $0 > 0 }), q.contains(where: { $0 > 0 }) else { return }
    let forth = try #require(ShareDistances(reference: p, current: q))
    let back = try #require(ShareDistances(reference: q, current: p))
    for figure in [
      \ShareDistances.jensenShannonDivergence, \.hellinger, \.totalVariation, \.largestDifference,
    ] as [KeyPath<ShareDistances, Double>] {
      #expect(isNear(forth[keyPath: figure], back[keyPath: figure], absolute: 1e-9))
      #expect((0...1).contains(forth[keyPath: figure]))
    }
    #expect(isNear(forth.populationStabilityIndex(), back.populationStabilityIndex()))
    #expect(forth.populationStabilityIndex() >= 0)
    #expect(forth.jensenShannonDistance(base: 2) <= 1 + 1e-12)
    // Hellinger² ≤ total variation ≤ √2 Hellinger.
    #expect(forth.hellinger * forth.hellinger <= forth.totalVariation + 1e-12)
    #expect(forth.totalVariation <= 2.0.squareRoot() * forth.hellinger + 1e-12)
    let same = try #require(ShareDistances(reference: p, current: p.map { $0 * 3 }))
    #expect(same.populationStabilityIndex() < 1e-12 && same.jensenShannonDistance() < 1e-7 && same.hellinger < 1e-12)
  }

  @Test func `huge counts, empty sides and single bins`() throws {
    let huge = Int(1) << 55
    let shares = try #require(ShareDistances(reference: [huge, huge], current: [huge, 3 * huge / 2]))
    #expect(isNear(shares.totalVariation, 0.1))
    #expect(ShareDistances(reference: [0, 0], current: [1, 2]) == nil)
    #expect(ShareDistances(reference: [], current: []) == nil)
    #expect(ChiSquared.twoSample(reference: [0], current: [5]) == nil)
    let single = try #require(ChiSquared.twoSample(reference: [7, 0], current: [5, 0]))
    #expect(single.degreesOfFreedom == 0 && single.statistic == 0)
    #expect(ChiSquared.oneSample(reference: [5, 0], current: [5, 1])?.pValue == 0)
    let table = try #require(ChiSquared.twoSample(reference: [huge / 4, huge / 4], current: [huge / 4, huge / 2]))
    #expect(table.pValue == 0)
    #expect(ShareTest.pValue(0, of: 5, against: 0, of: 7) == 1)
    #expect(ShareTest.pValue(0, of: 0, against: 0, of: 7) == nil)
  }

  @Test func `radix sort sorts`() {
    for count in [0, 1, 512, 513, 5_000] {
      var random = SplitMix64(seed: UInt64(count))
      var values = (0..<count).map { _ in random.awkward() }.filter { !$0.isNaN }
      let expected = values.sorted()
      RadixSort.sort(&values)
      #expect(values == expected)
    }
  }
}
