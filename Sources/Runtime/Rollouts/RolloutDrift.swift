internal import Core
internal import Drift
package import Registry
internal import Topology

/// The drift gates of a rollout: what the new version says beside what the one in force says, and whether the events
/// of both are alike.
///
/// A shadow scores the events that the champion answers: rows come in pairs. A canary answers for other keys: rows of
/// one key belong together, and the two arms share none. With segments it answers for their events alone, and only the
/// champion's predictions of events of these segments are held against it; while there are none nothing is said.
package struct RolloutDrift: Sendable {
  /// What keeps a gate from being measured.
  enum Obstacle: String {
    case severalScores = "the shadow of a model with several scores has no pairs"
    case noFeatures = "predictions do not carry their features: `features: full` of the model writes them"
    case sameFeatures = "a shadow scores the events that the champion answers: their features are the same"
    case segments = "with all keys of its segments the champion answers none of their events: nothing to compare with"
  }

  private struct Measure: Sendable {
    /// A position in the rollout's gates.
    var gate: Int
    var isOfFeatures: Bool
    var gauge: ArmGauge
  }

  private var measures: [Measure] = []
  private let isPaired: Bool
  /// Of columns, for people.
  private let features: [String]

  /// None.
  package init() {
    isPaired = false
    features = []
  }

  /// - Parameters:
  ///   - outputCount: scores of one prediction.
  ///   - features: names; empty where predictions do not carry them.
  package init(_ rollout: Rollout, outputCount: Int, features: [String]) {
    isPaired = !rollout.answers
    self.features = features
    for (index, gate) in rollout.gates.enumerated() where gate.metric.isDrift {
      guard Self.obstacle(gate.metric, rollout, outputCount: outputCount, hasFeatures: !features.isEmpty) == nil else {
        continue
      }
      let isOfFeatures = gate.metric == .featureDrift
      let gauge = ArmGauge(
        ArmPolicy(limit: gate.atMost), window: gate.predictionsMin,
        width: isOfFeatures ? features.count : outputCount, isPaired: isPaired)
      measures.append(Measure(gate: index, isOfFeatures: isOfFeatures, gauge: gauge))
    }
  }

  var isEmpty: Bool { measures.isEmpty }

  static func obstacle(
    _ metric: RolloutGate.Metric, _ rollout: Rollout, outputCount: Int, hasFeatures: Bool
  ) -> Obstacle? {
    // Without the predictions outside of its segments the champion has none beside a canary that has all keys.
    let comparesArms = metric.isDrift || metric == .scorePSI
    if comparesArms, rollout.answers, !rollout.segments.isEmpty, rollout.sharePerMille >= KeyShare.whole {
      return .segments
    }
    guard metric.isDrift else { return nil }
    if metric == .featureDrift, !rollout.answers { return .sameFeatures }
    if metric == .featureDrift, !hasFeatures { return .noFeatures }
    return !rollout.answers && outputCount > 1 ? .severalScores : nil
  }

  /// What the newest look of a gate has found; nil before the first.
  func look(ofGate index: Int) -> ArmGauge.Look? {
    measures.first { $0.gate == index }.flatMap(\.gauge.newest)
  }

  /// `prediction` or the feature's name.
  func column(_ index: Int, ofGate gate: Int) -> String? {
    guard let measure = measures.first(where: { $0.gate == gate }) else { return nil }
    return measure.isOfFeatures && index < features.count ? features[index] : nil
  }

  /// Takes what a prediction says for the distributions.
  ///
  /// - Parameters:
  ///   - answered: what was answered where a shadow scored.
  ///   - cluster: a hash of the key; nil: there is none.
  ///   - numbers: appends the features, or the scores.
  mutating func add(
    _ prediction: PredictionFields.Prediction, answered: Double?, _ side: RolloutFigures.Side, cluster: UInt64?,
    at place: ArmGauge.Place, _ numbers: (_ areFeatures: Bool, inout [Double]) -> Void
  ) {
    for position in measures.indices {
      guard !isPaired else {
        guard side == .challenger, let score = prediction.score, prediction.difference?.isFinite ?? false, let answered
        else { continue }
        let cluster = cluster ?? UInt64(bitPattern: place.offset)
        measures[position].gauge.champion(cluster: cluster, at: place) { $0.append(answered) }
        measures[position].gauge.candidate(cluster: cluster, at: place) { $0.append(score) }
        continue
      }
      // What has no key is always the champion's: there is nothing to compare it with.
      guard let cluster, !prediction.hasFailed, !prediction.hasChallengerFailed else { continue }
      let isOfFeatures = measures[position].isOfFeatures
      switch side {
      case .champion: measures[position].gauge.champion(cluster: cluster, at: place) { numbers(isOfFeatures, &$0) }
      case .challenger: measures[position].gauge.candidate(cluster: cluster, at: place) { numbers(isOfFeatures, &$0) }
      case .neither: break
      }
    }
  }
}

extension PredictionFields {
  /// Hands what a prediction says to drift gates.
  func add(
    _ index: Int, _ prediction: Prediction, _ side: RolloutFigures.Side, cluster: UInt64?, at place: ArmGauge.Place,
    to drift: inout RolloutDrift
  ) {
    drift.add(prediction, answered: answeredScore(index), side, cluster: cluster, at: place) { areFeatures, row in
      if areFeatures { appendFeatures(index, to: &row) } else { appendScores(index, to: &row) }
    }
  }
}

extension RolloutGate.Metric {
  var isDrift: Bool { self == .scoreDrift || self == .featureDrift }
}
