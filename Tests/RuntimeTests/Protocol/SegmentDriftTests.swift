import Core
import Drift
import Glibc
import Registry
import Testing

@testable import Runtime

/// Canaries that answer in segments alone: their events are others than the champion's, no reason to roll them back.
@Suite struct SegmentDriftTests {
  private static let gate = RolloutGate(metric: .scoreDrift, atMost: 0.1, predictionsMin: 400)
  private static let rollout = Rollout(
    kind: .canary, version: 2, sharePerMille: 500, salt: "s", segments: ["amount > 3"], gates: [gate])

  /// Events whose score depends on their key, and on whether they lie in the segment.
  private struct Events {
    /// What the candidate adds to the logit.
    var shift = 0.0
    var keyCount = 2_000
    /// How much of a key's events lie in the segment.
    var segmentShare: Double
    private var random: SplitMix64
    private let seed: UInt64

    init(seed: UInt64) {
      self.seed = seed
      random = SplitMix64(seed: seed)
      segmentShare = 0.2
      segmentShare += 0.6 * uniform()
    }

    private mutating func uniform() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    private static func normal(_ random: inout SplitMix64) -> Double {
      let (radius, angle) = (Double(random.next() >> 11) * 0x1p-53 + 0x1p-54, Double(random.next() >> 11) * 0x1p-53)
      return (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
    }

    mutating func next() -> (cluster: UInt64, isInSegment: Bool, prediction: PredictionFields.Prediction) {
      let position = Int(pow(uniform(), 2) * Double(keyCount))
      var key = SplitMix64(seed: seed &* 0x9e37_79b9 &+ UInt64(position))
      let cluster = key.next()
      let hasShare = key.next() % 2 == 0
      let isInSegment = uniform() < segmentShare
      let isCandidates = hasShare && isInSegment
      let base = Self.normal(&key) + 0.5 * Self.normal(&random) + (isInSegment ? 1.5 : -0.5)
      let score = 1 / (1 + exp(-(base + (isCandidates ? shift : 0))))
      return (
        cluster, isInSegment,
        PredictionFields.Prediction(
          isChampion: !isCandidates, isFallback: false, version: isCandidates ? 2 : 1, score: score,
          scoringNanoseconds: nil, hasFailed: false, hasChallengerFailed: false, agrees: nil, difference: nil)
      )
    }
  }

  /// - Parameter told: what predictions say of whether their event lies in the segment.
  /// - Returns: what the drift gate said: whether ever that it is broken, and at the end.
  private static func run(
    _ events: Events, count: Int, told: (Bool) -> Bool = { $0 }
  ) -> (alarmed: Bool, window: RolloutWindow) {
    var events = events
    let watched = WatchedRollout(
      model: "m", alias: "champion", name: "m", rollout: rollout, champion: 1, offset: 0, beganMilliseconds: 0,
      topic: "t")
    var window = RolloutWindow([gate], drift: RolloutDrift(rollout, outputCount: 1, features: []))
    var alarmed = false
    for offset in 0..<Int64(count) {
      let (cluster, isInSegment, prediction) = events.next()
      let side = RolloutFigures.side(of: prediction, watched, isInSegment: told(isInSegment))
      let place = ArmGauge.Place(partition: 0, offset: offset)
      window.drift.add(prediction, answered: nil, side, cluster: cluster, at: place) { _, row in
        if let score = prediction.score { row.append(score) }
      }
      _ = window.add { $0.add(prediction, side, of: watched) }
      alarmed = alarmed || window.drift.look(ofGate: 0)?.finding.state == .exceeds
    }
    return (alarmed, window)
  }

  @Test func `equal versions are not rolled back`() {
    let runs = 300
    let alarms = (0..<UInt64(runs)).count { Self.run(Events(seed: $0), count: 5_000).alarmed }
    print("segments: \(alarms) false alarms in \(runs) rollouts of equal versions")
    #expect(alarms <= runs / 100)
    // The champion's other events among them, and nearly every canary would go.
    let blind = (0..<UInt64(20)).count { seed in
      Self.run(Events(seed: seed), count: 5_000, told: { _ in true }).alarmed
    }
    #expect(blind >= 15)
  }

  @Test func `a version that scores otherwise is rolled back`() {
    let runs = 100
    let found = (0..<UInt64(runs)).count { seed in
      var events = Events(seed: 3_000 + seed)
      events.shift = 1.5
      return Self.run(events, count: 8_000).alarmed
    }
    print("segments: \(found) of \(runs) shifts found")
    #expect(found >= runs * 95 / 100)
  }

  @Test func `without the champion's events of the segments nothing is said, and nothing promoted`() {
    for shift in [0, 3.0] {
      var events = Events(seed: 7)
      events.shift = shift
      let (alarmed, window) = Self.run(events, count: 8_000, told: { _ in false })
      let judge = RolloutJudge(Self.rollout)
      #expect(!alarmed && window.drift.look(ofGate: 0) == nil && judge.verdict(window) == .undecided)
      #expect(judge.findings(window).allSatisfy { $0.value == nil && !$0.holds && !$0.isBroken })
      #expect(window.total.champion.predictions == 0 && window.total.challenger.predictions > 1_000)
    }
  }
}
