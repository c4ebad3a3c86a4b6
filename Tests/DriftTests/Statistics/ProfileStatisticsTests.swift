import Core
import Testing

@testable import Drift

@Suite struct ProfileStatisticsTests {
  private func samples(_ seed: Int) -> (NumericSample, NumericSample) {
    var random = SplitMix64(seed: UInt64(seed))
    let ties = seed % 3 == 0
    let shift = Double(seed % 5) * 0.2
    func draw(_ count: Int, _ shift: Double, _ random: inout SplitMix64) -> NumericSample {
      NumericSample(
        (0..<count).map { _ in
          let value = (random.bell() + shift) * (seed % 4 == 0 ? 1e6 : 1)
          return ties ? value.rounded() : value
        })
    }
    return (
      draw(Int.random(in: 1...900, using: &random), 0, &random),
      draw(Int.random(in: 1...900, using: &random), shift, &random)
    )
  }

  @Test(arguments: 0..<60)
  func `what all values say lies within the bounds`(seed: Int) throws {
    let (reference, current) = samples(seed)
    let exactDistance = try #require(WassersteinDistance.exact(reference, current))
    let exactStatistic = try #require(KolmogorovSmirnov.statistic(reference, current))
    for fine in [1, 2, 10] {
      let grid = try #require(BinGrid(quantilesOf: reference, finePerCoarse: fine))
      let statistics = try #require(
        ProfileStatistics(NumericProfile(reference, on: grid), NumericProfile(current, on: grid)))
      let (statistic, distance) = (statistics.kolmogorovSmirnov, try #require(statistics.wasserstein))
      #expect(statistic.lowerBound <= exactStatistic + 1e-12 && exactStatistic <= statistic.upperBound + 1e-12)
      let slack = 1e-9 * max(exactDistance, 1e-3)
      #expect(distance.lowerBound <= exactDistance + slack && exactDistance <= distance.upperBound + slack)
      #expect((distance.lowerBound...distance.upperBound).contains(distance.value))
      // Shares are those of the classic bins, exactly.
      let classic = try #require(ClassicDefinition.score(.psi, reference, current))
      #expect(statistics.shares?.populationStabilityIndex() == classic.score)
    }
  }

  @Test func `finer bins leave less open`() throws {
    var random = SplitMix64(seed: 8)
    let reference = NumericSample((0..<20_000).map { _ in random.bell() })
    let current = NumericSample((0..<20_000).map { _ in random.bell() + 0.2 })
    let widths = try [1, 10].map { fine in
      let grid = try #require(BinGrid(quantilesOf: reference, finePerCoarse: fine))
      let estimate = try #require(
        ProfileStatistics(NumericProfile(reference, on: grid), NumericProfile(current, on: grid))
      ).kolmogorovSmirnov
      return estimate.upperBound - estimate.lowerBound
    }
    #expect(widths[0] < 0.15 && widths[1] < 0.02)
  }

  @Test func `empty windows, only missing values, and constants`() throws {
    let grid = try #require(BinGrid(quantilesOf: NumericSample([1, 1, 1])))
    let constant = NumericProfile(NumericSample([1, 1, 1]), on: grid)
    var missing = NumericProfile(grid)
    missing.addMissing(5)
    #expect(ProfileStatistics(constant, NumericProfile(grid)) == nil)
    #expect(ProfileStatistics(constant, missing) == nil)
    let drift = DriftComparison().compare("x", .numeric(constant), .numeric(missing))
    #expect(drift.results.map(\.test) == [.missing])
    #expect(drift[.missing]?.score.score == 1)
    #expect(drift[.missing]?.isDrift == true)
    let same = DriftComparison().compare("x", .numeric(constant), .numeric(constant))
    #expect(same.results.allSatisfy { !$0.isDrift })
    let other = NumericProfile(NumericSample([2, 2]), on: grid)
    let moved = DriftComparison().compare("x", .numeric(constant), .numeric(other))
    #expect(moved[.wasserstein]?.score.score == .infinity)
    #expect(moved[.outOfRange]?.score.score == 1)
    #expect(moved[.wasserstein]?.isDrift == true)
  }
}
