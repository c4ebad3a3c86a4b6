import Core
import Foundation
import Testing

@testable import Drift

@Suite struct AlarmTests {
  /// A debug build does a part of the runs: it is thirty times slower.
  private static let runs = isDebug ? 20 : 1_000

  private static var isDebug: Bool {
    var isDebug = false
    assert(
      {
        isDebug = true
        return true
      }())
    return isDebug
  }

  private struct Model {
    let width = 200
    let reference: [FeatureProfile]
    var profiler: MatrixProfiler

    init(rowCount: Int, seed: UInt64) throws {
      var random = SplitMix64(seed: seed)
      var columns = [[Double]](repeating: [], count: width)
      for _ in 0..<rowCount {
        for feature in 0..<width { columns[feature].append(Double(Self.draw(feature, &random))) }
      }
      let grids = try columns.map { try #require(BinGrid(quantilesOf: NumericSample($0), finePerCoarse: 2)) }
      reference = zip(columns, grids).map { .numeric(NumericProfile(NumericSample($0), on: $1)) }
      profiler = MatrixProfiler(grids)
    }

    /// Features of four shapes: even, exponential, few values, one in ten missing; all with a mean of about 1.
    static func draw(_ feature: Int, _ random: inout SplitMix64) -> Float {
      let uniform = Float(random.next() >> 40) * 0x1p-24
      return switch feature % 4 {
      case 0: 2 * uniform
      case 1: -log(1 - uniform)
      case 2: (uniform * 3).rounded(.down)
      default: uniform < 0.1 ? .nan : 2 * uniform
      }
    }

    mutating func findings(rowCount: Int, shifted: Int?, _ random: inout SplitMix64) -> [AlarmPolicy.Finding] {
      profiler.removeAll()
      var rows: [Float] = []
      for _ in 0..<rowCount {
        for feature in 0..<width {
          let value = Self.draw(feature, &random)
          rows.append(feature == shifted ? value * 1.3 : value)
        }
      }
      profiler.add(rows.span)
      let current = profiler.profiles
      return AlarmPolicy().judge(
        (0..<width).map { ("f\($0)", reference[$0], FeatureProfile.numeric(current[$0])) })
    }
  }

  @Test func `without drift there is an alarm in at most five of a hundred runs`() throws {
    var model = try Model(rowCount: 3_000, seed: 5)
    var random = SplitMix64(seed: 6)
    var (alarmed, uncertain) = (0, 0)
    for _ in 0..<Self.runs {
      let findings = model.findings(rowCount: 500, shifted: nil, &random)
      if findings.contains(where: \.isAlarm) { alarmed += 1 }
      if findings.contains(where: { $0.adjustedPValue <= 0.01 }) { uncertain += 1 }
    }
    #expect(alarmed * 20 <= Self.runs, "\(alarmed) of \(Self.runs)")
    // The sample sizes alone keep the promise, without the effect sizes.
    #expect(uncertain * 20 <= Self.runs, "\(uncertain) of \(Self.runs)")
  }

  @Test func `a mean that is 30 per cent higher is found within 5,000 events`() throws {
    var model = try Model(rowCount: 5_000, seed: 7)
    var random = SplitMix64(seed: 8)
    let runs = Self.runs / 20
    var found = 0
    for run in 0..<runs {
      let shifted = [0, 1, 3][run % 3] + 4 * (run % 50)
      let alarms = model.findings(rowCount: 2_500, shifted: shifted, &random).filter(\.isAlarm)
      if alarms.contains(where: { $0.feature == "f\(shifted)" }) { found += 1 }
    }
    #expect(found * 100 >= runs * 95, "\(found) of \(runs)")
  }

  @Test func `Benjamini-Hochberg by its definition`() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<200 {
      let count = Int.random(in: 0...12, using: &random)
      let pValues = (0..<count).map { _ in random.uniform() * random.uniform() * 0.2 }
      let sorted = pValues.sorted()
      let last = (0..<count).last { sorted[$0] <= 0.05 * Double($0 + 1) / Double(count) }
      let limit = last.map { sorted[$0] } ?? -1
      #expect(FalseDiscovery.benjaminiHochberg(pValues, level: 0.05) == pValues.map { $0 <= limit })
    }
    #expect(FalseDiscovery.benjaminiHochberg([.nan, 0.001], level: 0.05) == [false, true])
    #expect(FalseDiscovery.adjusted([0.01, 0.02, 0.5]).map { ($0 * 1_000).rounded() } == [30, 30, 500])
  }

  @Test func `a large sample alone is no alarm, and a large effect alone neither`() throws {
    var random = SplitMix64(seed: 2)
    let reference = NumericSample((0..<200_000).map { _ in random.bell() })
    let grid = try #require(BinGrid(quantilesOf: reference))
    let large = NumericProfile(NumericSample((0..<200_000).map { _ in random.bell() + 0.02 }), on: grid)
    let small = NumericProfile(NumericSample((0..<20).map { _ in random.bell() + 1 }), on: grid)
    let profile = FeatureProfile.numeric(NumericProfile(reference, on: grid))
    let findings = AlarmPolicy().judge([("large", profile, .numeric(large))])
    #expect(findings.count == 1)
    #expect(findings[0].adjustedPValue < 1e-4 && !findings[0].isAlarm)
    #expect(AlarmPolicy().judge([("small", profile, .numeric(small))]).isEmpty)
    #expect(AlarmPolicy(minimumRowCount: 5).judge([("small", profile, .numeric(small))]).first?.test != nil)
  }

  @Test func `contributors are those with the most of it`() {
    let parts: [(kind: Contributor.Kind, name: String, rowCount: Int, score: Double)] = [
      (.segment, "origin=JFK", 100, 0.9), (.segment, "origin=LGA", 800, 0.01), (.producer, "client=7", 100, .infinity),
    ]
    let top = Contributor.top(2, of: parts)
    #expect(top.map(\.name) == ["origin=JFK", "origin=LGA"])
    #expect(isNear(top[0].share, 90.0 / 98))
    #expect(Contributor.top(3, of: []).isEmpty)
  }
}
