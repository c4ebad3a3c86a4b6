import Core
import Testing

@testable import Drift

@Suite struct AUCDifferenceTests {
  /// DeLong's estimate by its definition: all pairs, then covariances of the structural components.
  private func byPairs(_ labels: [Bool], _ first: [Double], _ second: [Double]) -> (value: Double, error: Double)? {
    let positives = labels.indices.filter { labels[$0] }
    let negatives = labels.indices.filter { !labels[$0] }
    guard positives.count > 1, negatives.count > 1 else { return nil }
    func wins(_ scores: [Double], _ positive: Int, _ negative: Int) -> Double {
      scores[positive] > scores[negative] ? 1 : scores[positive] == scores[negative] ? 0.5 : 0
    }
    func components(_ scores: [Double]) -> ([Double], [Double]) {
      (
        positives.map { p in negatives.reduce(0.0) { $0 + wins(scores, p, $1) } / Double(negatives.count) },
        negatives.map { n in positives.reduce(0.0) { $0 + wins(scores, $1, n) } / Double(positives.count) }
      )
    }
    func covariance(_ a: [Double], _ b: [Double]) -> Double {
      let (x, y) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
      return zip(a, b).reduce(0.0) { $0 + ($1.0 - x) * ($1.1 - y) } / Double(a.count - 1)
    }
    let (a, b) = (components(first), components(second))
    let variance =
      (covariance(a.0, a.0) + covariance(b.0, b.0) - 2 * covariance(a.0, b.0)) / Double(positives.count)
      + (covariance(a.1, a.1) + covariance(b.1, b.1) - 2 * covariance(a.1, b.1)) / Double(negatives.count)
    let value = (a.0.reduce(0, +) - b.0.reduce(0, +)) / Double(positives.count)
    return (value, max(variance, 0).squareRoot())
  }

  @Test(arguments: 0..<20)
  func `ranks give what all pairs give`(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let count = Int.random(in: 6...150, using: &random)
    var (labels, first, second): ([Bool], [Double], [Double]) = ([], [], [])
    for _ in 0..<count {
      let truth = random.uniform()
      labels.append(random.uniform() < truth)
      let scores = (truth + 0.2 * random.bell(), truth + 0.5 * random.bell())
      // Every second run has ties.
      first.append(seed % 2 == 0 ? (scores.0 * 5).rounded() / 5 : scores.0)
      second.append(seed % 2 == 0 ? (scores.1 * 5).rounded() / 5 : scores.1)
    }
    let found = AUCDifference(labels: labels, first: first, second: second)
    guard let expected = byPairs(labels, first, second) else { return }
    let difference = try #require(found, "seed \(seed)")
    #expect(isNear(difference.value, expected.value), "seed \(seed)")
    #expect((difference.standardError - expected.error).magnitude < 1e-12, "seed \(seed)")
    #expect(isNear(difference.first, BinaryScores(Array(zip(first, labels))).areaUnderCurve()?.value ?? .nan))
    #expect(difference.interval.lower <= difference.value && difference.value <= difference.interval.upper)
    let reverse = try #require(AUCDifference(labels: labels, first: second, second: first))
    #expect(isNear(reverse.value, -difference.value) && isNear(reverse.standardError, difference.standardError))
  }

  @Test func `equal scores differ by nothing, and one class has no area`() throws {
    let labels = [true, false, true, false, true]
    let scores = [0.9, 0.2, 0.4, 0.5, 0.7]
    let same = try #require(AUCDifference(labels: labels, first: scores, second: scores))
    #expect(same.value == 0 && same.standardError == 0 && same.pValue == 1)
    #expect(AUCDifference(labels: [true, true], first: [0.1, 0.2], second: [0.1, 0.2]) == nil)
    #expect(AUCDifference(labels: [true], first: [], second: []) == nil)
    // Events without a score are left out.
    let left = try #require(
      AUCDifference(labels: labels + [false], first: scores + [.nan], second: scores + [0.1]))
    #expect(left.first == same.first)
  }
}
