import Core
import Testing

@testable import Training

/// Figures that are no mean, beside their definitions; influences beside what leaving a row out does.
@Suite struct InfluenceTests {
  private struct Sample {
    var labels: [Float] = []
    var scores: [Double] = []

    init(rows: Int, seed: UInt64, steps: Double) {
      var random = SplitMix64(seed: seed)
      for _ in 0..<rows {
        let x = Double(random.next() >> 11) * 0x1p-53
        labels.append(Double(random.next() >> 11) * 0x1p-53 < x ? 1 : 0)
        let noisy = min(max(x + Double(random.next() >> 11) * 0x1p-53 * 0.6 - 0.3, 0), 1)
        // Of few steps many scores are equal.
        scores.append((noisy * steps).rounded() / steps)
      }
    }

    func without(_ row: Int) -> Sample {
      var copy = self
      copy.labels.remove(at: row)
      copy.scores.remove(at: row)
      return copy
    }
  }

  /// By the definitions, row by row.
  private static func naive(_ sample: Sample, threshold: Double) -> [String: Double] {
    let pairs = zip(sample.labels, sample.scores).map { (isTrue: $0 == 1, score: $1) }
    let hits = Double(pairs.count { $0.isTrue && $0.score >= threshold })
    let said = Double(pairs.count { $0.score >= threshold })
    let truths = Double(pairs.count(where: \.isTrue))
    var sum = 0.0
    for pair in pairs where pair.isTrue {
      let above = pairs.filter { $0.score >= pair.score }
      sum += Double(above.count(where: \.isTrue)) / Double(above.count)
    }
    return [
      "precision": hits / said, "recall": hits / truths, "f1": 2 * hits / (said + truths),
      "average_precision": sum / truths,
    ]
  }

  @Test(arguments: [7.0, 40, 1e6])
  func `Values are those of the definitions, and influences those of a jackknife`(steps: Double) {
    for seed in 0..<8 as Range<UInt64> {
      let sample = Sample(rows: 300, seed: seed, steps: steps)
      let expected = Self.naive(sample, threshold: 0.5)
      for influence in Influence.binary(labels: sample.labels, scores: sample.scores, threshold: 0.5) {
        let value = expected[influence.metric] ?? .nan
        #expect(abs(influence.value - value) < 1e-12, "\(influence.metric), seed \(seed)")
        #expect(abs(influence.rows.reduce(0, +)) < 1e-8 * 300, "\(influence.metric), seed \(seed)")
        // Without a row the figure moves by about its influence over the number of rows.
        for row in stride(from: 0, to: 300, by: 37) {
          let moved = Self.naive(sample.without(row), threshold: 0.5)[influence.metric] ?? .nan
          let jackknife = 299 * (value - moved)
          #expect(abs(jackknife - influence.rows[row]) < 0.08, "\(influence.metric), seed \(seed), row \(row)")
        }
      }
    }
  }

  @Test func `What has no value has none`() {
    #expect(
      Influence.binary(labels: [1, 0], scores: [0.1, 0.2], threshold: 0.5).map(\.metric) == [
        "recall", "f1", "average_precision",
      ])
    #expect(
      Influence.binary(labels: [0, 0], scores: [0.1, 0.9], threshold: 0.5).map(\.metric) == ["precision", "f1"])
    #expect(Influence.binary(labels: [], scores: [], threshold: 0.5).isEmpty)
    #expect(Influence.determination(labels: [2, 2], scores: [1, 2]) == nil)
    let perfect = Influence.determination(labels: [1, 2, 3], scores: [1, 2, 3])
    #expect(perfect?.value == 1 && perfect?.interval(confidence: 0.95)?.low == 1)
  }

  @Test func `A model beside itself differs by nothing`() throws {
    let sample = Sample(rows: 200, seed: 3, steps: 50)
    for influence in Influence.binary(labels: sample.labels, scores: sample.scores, threshold: 0.5) {
      let difference = try #require(influence.minus(influence, confidence: 0.95))
      #expect(difference.value == 0 && difference.low == 0 && difference.high == 0)
    }
  }
}
