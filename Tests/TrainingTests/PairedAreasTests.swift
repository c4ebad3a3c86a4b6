import Core
import TestSupport
import Testing

@testable import Training

@Suite struct PairedAreasTests {
  /// Every positive against every negative: the definition.
  private struct Naive {
    var positives: [Double] = []
    var negatives: [Double] = []
    var area = 0.0

    init(_ labels: [Float], _ scores: [Double]) {
      let (yes, no) = (labels.indices.filter { labels[$0] == 1 }, labels.indices.filter { labels[$0] == 0 })
      func win(_ a: Int, _ b: Int) -> Double { scores[a] > scores[b] ? 1 : scores[a] == scores[b] ? 0.5 : 0 }
      positives = yes.map { a in no.reduce(0.0) { $0 + win(a, $1) } / Double(no.count) }
      negatives = no.map { b in yes.reduce(0.0) { $0 + win($1, b) } / Double(yes.count) }
      area = positives.reduce(0, +) / Double(yes.count)
    }

    static func covariance(_ a: [Double], _ b: [Double]) -> Double {
      let count = Double(a.count)
      let (meanA, meanB) = (a.reduce(0, +) / count, b.reduce(0, +) / count)
      return zip(a, b).reduce(0.0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) } / (count - 1)
    }
  }

  @Test func `areas and their error are those of all pairs, ties included`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      let count = Int.random(in: 6...120, using: &random)
      let steps = Int.random(in: 2...50, using: &random)
      let labels = (0..<count).map { row -> Float in
        row < 2 ? 1 : row < 4 ? 0 : Float(Int.random(in: 0...1, using: &random))
      }
      let scores = (0..<2).map { _ in
        (0..<count).map { _ in Double(Int.random(in: 0...steps, using: &random)) / Double(steps) }
      }
      let found = try #require(PairedAreas(labels, scores[0], scores[1]))
      let (first, second) = (Naive(labels, scores[0]), Naive(labels, scores[1]))
      // DeLong's form: variances and the covariance of the components.
      func variance(_ a: [Double], _ b: [Double]) -> Double {
        (Naive.covariance(a, a) + Naive.covariance(b, b) - 2 * Naive.covariance(a, b)) / Double(a.count)
      }
      let error = max(0, variance(first.positives, second.positives) + variance(first.negatives, second.negatives))
        .squareRoot()
      #expect(abs(found.first - first.area) < 1e-12 && abs(found.second - second.area) < 1e-12, "seed \(seed)")
      #expect(abs(found.standardError - error) < 1e-7, "seed \(seed)")
    }
  }

  @Test func `one class alone has no area`() { #expect(PairedAreas([1, 1], [0.1, 0.2], [0.3, 0.1]) == nil) }

  @Test func `a model differs from itself by nothing`() throws {
    let found = try #require(PairedAreas([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.5], [0.9, 0.2, 0.4, 0.5])).difference(
      confidence: 0.95)
    #expect(found == (0, 0, 0))
  }
}
