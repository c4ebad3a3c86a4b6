import Core
import Testing

@testable import Drift

/// Rollouts from their beginning to their verdict: how often equal versions are called different, and different ones
/// found.
@Suite struct ArmGaugeTests {
  private struct Outcome {
    var state = ArmPolicy.State.undecided
    /// The candidate's rows until then.
    var rows = 0
    /// Whether Kolmogorov and Smirnov's test on rows ever had a p-value below 1 % at the same looks.
    var isNaivelyDifferent = false
  }

  private static func run(
    _ population: ArmPopulation, isPaired: Bool, limit: Double = 0.1, window: Int = 400, events: Int = 6_000,
    isNaive: Bool = false, untilExceeded: Bool = false
  ) -> Outcome {
    var population = population
    var gauge = ArmGauge(ArmPolicy(limit: limit), window: window, width: 1, isPaired: isPaired)
    var outcome = Outcome()
    var (champion, candidate): ([Double], [Double]) = ([], [])
    for offset in 0..<Int64(events) {
      let event = population.next()
      let place = ArmGauge.Place(partition: 0, offset: offset)
      if isPaired || !event.isCandidates {
        gauge.champion(cluster: event.cluster, at: place) { $0.append(event.champion) }
        if isNaive { champion.append(event.champion) }
      }
      guard isPaired || event.isCandidates else { continue }
      gauge.candidate(cluster: event.cluster, at: place) { $0.append(event.candidate) }
      if isNaive { candidate.append(event.candidate) }
      outcome.rows += 1
      guard outcome.rows >= window, outcome.rows % (window / 8) == 0 else { continue }
      if isNaive, !outcome.isNaivelyDifferent {
        let (one, other) = (NumericSample(champion.suffix(window)), NumericSample(candidate.suffix(window)))
        let statistic = KolmogorovSmirnov.statistic(one, other) ?? 0
        let pValue = KolmogorovSmirnov.pValue(
          statistic, referenceCount: one.count, currentCount: other.count, method: .asymptotic)
        outcome.isNaivelyDifferent = pValue < 0.01
      }
      outcome.state = gauge.newest?.finding.state ?? .undecided
      if outcome.state == .exceeds || outcome.state == .within && !untilExceeded { break }
    }
    return outcome
  }

  @Test(arguments: [false, true]) func `equal versions are not rolled back, and are promoted`(isPaired: Bool) {
    let runs = 1_000
    var (alarms, promoted, naive, rows) = (0, 0, 0, 0)
    for seed in 0..<UInt64(runs) {
      // Looked at to the end, whatever was found in between.
      let watched = Self.run(
        ArmPopulation(seed: seed), isPaired: isPaired, events: isPaired ? 1_200 : 2_400, isNaive: !isPaired,
        untilExceeded: true)
      alarms += watched.state == .exceeds ? 1 : 0
      naive += watched.isNaivelyDifferent ? 1 : 0
    }
    let verdicts = 100
    for seed in 0..<UInt64(verdicts) {
      var population = ArmPopulation(seed: 5_000 + seed)
      // Of two hundred keys that differ as these do nobody can say so much.
      if !isPaired { population.keyCount = 20_000 }
      let outcome = Self.run(population, isPaired: isPaired, events: 12_000)
      promoted += outcome.state == .within ? 1 : 0
      rows += outcome.rows
    }
    print(
      "\(isPaired ? "shadow" : "canary"): \(alarms) false alarms in \(runs) rollouts of equal versions"
        + (isPaired ? "" : ", of Kolmogorov and Smirnov's test on rows \(naive)")
        + "; \(promoted) of \(verdicts) promoted after \(rows / verdicts) rows on average")
    #expect(alarms <= 10)
    #expect(promoted >= verdicts * 9 / 10)
    // What keys do to a test that takes rows for independent.
    if !isPaired { #expect(naive > 100) }
  }

  @Test func `what is at the limit is not called more`() {
    // A shift of the logit whose difference of the distribution functions is 0.1: at most the promised false alarms.
    let runs = 200
    var alarms = 0
    for seed in 0..<UInt64(runs) {
      var population = ArmPopulation(seed: 9_000 + seed)
      // sup |Φ(x) - Φ(x - d)| = 2 Φ(d / 2) - 1 = 0.1 at d = 0.2513 standard deviations.
      population.shift = 0.2513 * (1.0 + 0.25).squareRoot()
      let outcome = Self.run(population, isPaired: true, events: 1_200, untilExceeded: true)
      alarms += outcome.state == .exceeds ? 1 : 0
    }
    print("at the limit: \(alarms) of \(runs) called more")
    #expect(alarms <= 8)
  }

  @Test(arguments: [false, true]) func `a version that scores otherwise is rolled back`(isPaired: Bool) {
    let runs = 100
    var (found, rows) = (0, 0)
    for seed in 0..<UInt64(runs) {
      var population = ArmPopulation(seed: 3_000 + seed)
      population.shift = 1.5
      let outcome = Self.run(population, isPaired: isPaired, events: 12_000)
      found += outcome.state == .exceeds ? 1 : 0
      rows += outcome.rows
    }
    print("\(isPaired ? "shadow" : "canary"): \(found) of \(runs) found after \(rows / runs) rows on average")
    // Two hundred keys a side that differ as these do leave a few undecided.
    #expect(found >= 90)
  }

  @Test func `what comes late is seen in the newest window`() {
    var population = ArmPopulation(seed: 77)
    population.shift = 2
    population.shiftFromEvent = 20_000
    let outcome = Self.run(population, isPaired: true, events: 22_000, untilExceeded: true)
    #expect(outcome.state == .exceeds && outcome.rows > 20_000 && outcome.rows < 20_600, "\(outcome.rows)")
  }

  @Test func `many rows of few keys are no sample`() {
    var population = ArmPopulation(seed: 5)
    population.keyCount = 12
    population.shift = 2
    #expect(Self.run(population, isPaired: false, events: 20_000).state == .undecided)
  }

  @Test func `the column that moved is named, with the rows it was found in`() throws {
    var gauge = ArmGauge(ArmPolicy(limit: 0.1), window: 400, width: 8, isPaired: false)
    var random = SplitMix64(seed: 3)
    for offset in 0..<800 as Range<Int64> {
      let row = (0..<8).map { _ in Double(random.next() % 1_000) }
      let place = ArmGauge.Place(partition: Int32(offset % 2), offset: offset / 2)
      gauge.champion(cluster: random.next(), at: place) { $0 += row }
      gauge.candidate(cluster: random.next(), at: place) { numbers in
        numbers += row
        numbers[5] *= 2
        if offset % 3 == 0 { numbers[2] = .nan }
      }
    }
    let look = try #require(gauge.newest)
    #expect(look.finding.state == .exceeds && [2, 5].contains(look.finding.column))
    #expect(look.finding.effect > 0.3 && look.finding.lowerBound > 0.1 && look.finding.clusterCount > 200)
    #expect(look.offsets.map(\.partition) == [0, 1] && look.offsets.allSatisfy { $0.range.upperBound <= 399 })
  }
}
