import Core
import Testing

@testable import Drift

@Suite struct PerformanceTests {
  private func pairs(_ count: Int, _ random: inout SplitMix64, ties: Bool = false) -> [(score: Double, label: Bool)] {
    (0..<count).map { _ in
      let truth = random.uniform()
      let score = min(max(truth + 0.2 * random.bell(), 0), 1)
      return (ties ? (score * 5).rounded() / 5 : score, random.uniform() < truth)
    }
  }

  /// All pairs of a positive and a negative event.
  private func areaByPairs(_ pairs: [(score: Double, label: Bool)]) -> Double? {
    let (positives, negatives) = (pairs.filter(\.label), pairs.filter { !$0.label })
    guard !positives.isEmpty, !negatives.isEmpty else { return nil }
    let wins = positives.reduce(0.0) { sum, positive in
      sum
        + negatives.reduce(0.0) { $0 + (positive.score > $1.score ? 1 : positive.score == $1.score ? 0.5 : 0) }
    }
    return wins / Double(positives.count * negatives.count)
  }

  @Test(arguments: 0..<20)
  func `the area is the share of pairs in the right order, and bins bound it`(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let pairs = pairs(Int.random(in: 1...120, using: &random), &random, ties: seed % 2 == 0)
    let exact = BinaryScores(pairs).areaUnderCurve()
    let expected = areaByPairs(pairs)
    #expect((exact == nil) == (expected == nil))
    var accumulator = BinaryAccumulator()
    for pair in pairs { accumulator.add(score: pair.score, label: pair.label) }
    guard let exact, let expected, let binned = accumulator.areaUnderCurve() else { return }
    #expect(isNear(exact.value, expected))
    #expect(exact.estimate.isExact)
    #expect(binned.estimate.lowerBound <= expected + 1e-12 && expected <= binned.estimate.upperBound + 1e-12)
    #expect(binned.estimate.upperBound - binned.estimate.lowerBound < 0.2)
  }

  @Test(arguments: 0..<10)
  func `accumulators do not remember order or cuts`(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let pairs = pairs(500, &random) + [(.nan, true), (1.5, false), (0, true), (1, false)]
    var (whole, merged) = (BinaryAccumulator(), BinaryAccumulator())
    var (numbers, mergedNumbers) = (RegressionAccumulator(), RegressionAccumulator())
    for pair in pairs {
      whole.add(score: pair.score, label: pair.label)
      numbers.add(prediction: pair.score, truth: pair.label ? 1 : 0)
    }
    for part in random.parts(of: pairs) {
      var (piece, pieceNumbers) = (BinaryAccumulator(), RegressionAccumulator())
      for pair in part {
        piece.add(score: pair.score, label: pair.label)
        pieceNumbers.add(prediction: pair.score, truth: pair.label ? 1 : 0)
      }
      merged.merge(try BinaryAccumulator(decoding: piece.encoded))
      mergedNumbers.merge(try RegressionAccumulator(decoding: pieceNumbers.encoded))
    }
    #expect(merged == whole && merged.encoded == whole.encoded)
    #expect(mergedNumbers == numbers && mergedNumbers.encoded == numbers.encoded)
    #expect(whole.invalidCount == 2 && numbers.invalidCount == 1)
    #expect(whole.logLoss()?.value.bitPattern == merged.logLoss()?.value.bitPattern)
  }

  @Test func `nothing, one event and one class have no figures that lie`() {
    var accumulator = BinaryAccumulator()
    #expect(accumulator.logLoss() == nil && accumulator.areaUnderCurve() == nil && accumulator.calibration() == nil)
    #expect(accumulator.confusion(threshold: 0.5).precision() == nil)
    #expect(RegressionAccumulator().meanAbsoluteError() == nil && RegressionAccumulator().determination == nil)
    accumulator.add(score: 0.7, label: true)
    #expect(accumulator.areaUnderCurve() == nil)
    #expect(accumulator.brierScore()?.upper == .infinity)
    #expect(accumulator.confusion(threshold: 0.5).recall()?.value == 1)
    #expect((accumulator.confusion(threshold: 0.5).recall()?.lower ?? 1) < 0.3)
  }

  @Test func `intervals hold as often as they say`() {
    var random = SplitMix64(seed: 21)
    var (wilson, delong, brier) = (0, 0, 0)
    // The true figures, from many events.
    var truth = BinaryAccumulator()
    for pair in pairs(60_000, &random) { truth.add(score: pair.score, label: pair.label) }
    guard let area = truth.areaUnderCurve()?.value, let loss = truth.brierScore()?.value else {
      return #expect(Bool(false))
    }
    let runs = 400
    for _ in 0..<runs {
      let hits = (0..<40).count { _ in random.uniform() < 0.07 }
      if let interval = Interval.share(hits, of: 40), interval.lower <= 0.07, 0.07 <= interval.upper { wilson += 1 }
      var accumulator = BinaryAccumulator()
      for pair in pairs(150, &random) { accumulator.add(score: pair.score, label: pair.label) }
      if let found = accumulator.areaUnderCurve()?.interval, found.lower <= area, area <= found.upper { delong += 1 }
      if let found = accumulator.brierScore(), found.lower <= loss, loss <= found.upper { brier += 1 }
    }
    for held in [wilson, delong, brier] { #expect(Double(held) / Double(runs) > 0.91, "\(held) of \(runs)") }
  }

  @Test func `the bootstrap depends on identities, not on order`() throws {
    var random = SplitMix64(seed: 30)
    let events = (0..<300).map { _ in (identity: random.next(), value: random.bell()) }
    func interval(_ events: [(identity: UInt64, value: Double)]) -> Interval? {
      PoissonBootstrap(replicates: 100, seed: 5).interval(identities: events.map(\.identity)) { weights in
        var (sum, count) = (ExactSum(), 0)
        for (weight, event) in zip(weights, events) {
          count += weight
          for _ in 0..<weight { sum.add(event.value) }
        }
        return count == 0 ? nil : sum.rounded / Double(count)
      }
    }
    let found = try #require(interval(events))
    #expect(interval(events.shuffled(using: &random)) == found)
    // As wide as the closed form: 2 · 1.96 / √300.
    #expect((found.upper - found.lower) / 0.2263 > 0.75 && (found.upper - found.lower) / 0.2263 < 1.25)
    let bootstrap = PoissonBootstrap()
    let weights = (0..<20_000).map { bootstrap.weight(event: UInt64($0), replicate: 3) }
    #expect((Double(weights.reduce(0, +)) / 20_000 - 1).magnitude < 0.03)
  }

  @Test func `calibration rises, and estimates follow it`() throws {
    var random = SplitMix64(seed: 40)
    let reference = (0..<4_000).map { _ in
      let score = random.uniform()
      return (score: score, label: random.uniform() < score * score)
    }
    let calibration = try #require(IsotonicCalibration(reference))
    #expect(zip(calibration.probabilities, calibration.probabilities.dropFirst()).allSatisfy(<=))
    for score in [0.2, 0.5, 0.8] { #expect((calibration.probability(score) - score * score).magnitude < 0.08) }
    #expect(calibration.probability(-1) == calibration.probabilities[0])
    #expect(calibration.probability(9) == calibration.probabilities[calibration.probabilities.count - 1])
    // Later events, with labels that nobody has seen yet.
    let later = (0..<6_000).map { _ in
      let score = 0.3 + 0.7 * random.uniform()
      return (score: score, label: random.uniform() < score * score)
    }
    let estimate = ConfidenceBasedEstimate(scores: later.map(\.score), calibration: calibration)
    let area = try #require(BinaryScores(later).areaUnderCurve()?.value)
    #expect((try #require(estimate.areaUnderCurve) - area).magnitude < 0.03)
    var accumulator = BinaryAccumulator()
    for event in later { accumulator.add(score: event.score, label: event.label) }
    let known = accumulator.confusion(threshold: 0.75)
    let expected = estimate.expectation(threshold: 0.75)
    let (precision, recall) = (try #require(known.precision()?.value), try #require(known.recall()?.value))
    #expect((try #require(expected.precision) - precision).magnitude < 0.04)
    #expect((try #require(expected.recall) - recall).magnitude < 0.04)
    #expect(ConfidenceBasedEstimate([]).areaUnderCurve == nil)
    #expect(IsotonicCalibration([(.nan, true)]) == nil)
  }
}
