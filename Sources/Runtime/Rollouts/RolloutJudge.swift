package import Drift
package import Registry

/// Holds the figures of a rollout against its gates.
package struct RolloutJudge: Sendable {
  /// What one gate says.
  package struct Finding: Sendable {
    package var gate: RolloutGate
    /// nil: nothing to measure it by.
    package var value: Double?
    /// Whether there are enough predictions to say anything.
    package var isDecided: Bool
    /// What it is measured over.
    package var predictions = 0
    /// Of a drift gate: what is certain of the value.
    package var drift: DriftEvidence?

    package var isBroken: Bool {
      guard !gate.metric.isDrift else { return drift?.finding.state == .exceeds }
      return isDecided && (value.map { $0 > gate.atMost } ?? false)
    }

    package var holds: Bool {
      guard !gate.metric.isDrift else { return drift?.finding.state == .within }
      return isDecided && (value.map { $0 <= gate.atMost } ?? false)
    }

    /// `score_psi 0.31 of at most 0.2 over 1000 predictions`.
    var text: String {
      let found = value.map(RolloutJudge.rounded) ?? "unknown"
      let text = "\(gate.metric.rawValue) \(found) of at most \(gate.atMost) over \(predictions) predictions"
      return drift.map { "\(text) \($0.text)" } ?? text
    }
  }

  /// What speaks for the verdict of a drift gate.
  package struct DriftEvidence: Sendable {
    package var finding: ArmPolicy.Finding
    /// The feature that differs most; nil: a score.
    package var feature: String?
    /// Of the predictions in the window: first and last offset by partition.
    package var offsets: [(partition: Int32, range: ClosedRange<Int64>)]

    /// `beside 980 of the champion, 212 keys, certain 0.22, possible 0.4, look 3, of m, offsets 0:12-900 1:7-830`.
    var text: String {
      let places = offsets.prefix(RolloutJudge.shownPartitions).map {
        "\($0.partition):\($0.range.lowerBound)-\($0.range.upperBound)"
      }
      let more = offsets.count > places.count ? " …" : ""
      return "beside \(finding.championCount) of the champion, \(finding.clusterCount) keys"
        + ", certain \(RolloutJudge.rounded(finding.lowerBound)), possible \(RolloutJudge.rounded(finding.upperBound))"
        + ", look \(finding.look)\(feature.map { ", of \($0)" } ?? "")"
        + ", offsets \(places.joined(separator: " "))\(more)"
    }
  }

  private static let shownPartitions = 16

  private static func rounded(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }

  package enum Verdict: Sendable, Equatable {
    /// Not enough is known.
    case undecided
    case promote(reason: String)
    case rollBack(reason: String)
  }

  package let rollout: Rollout

  package init(_ rollout: Rollout) { self.rollout = rollout }

  package func findings(_ window: RolloutWindow) -> [Finding] {
    rollout.gates.enumerated().map { index, gate in
      guard !gate.metric.isDrift else { return finding(gate, index, window.drift) }
      let figures = window.newest(max(gate.predictionsMin, 1))
      let count = figures.challenger.predictions
      return Finding(
        gate: gate, value: value(gate.metric, figures), isDecided: count >= max(gate.predictionsMin, 1),
        predictions: count)
    }
  }

  /// One gate that is broken is enough to roll back, all of them have to hold to promote.
  package func verdict(_ window: RolloutWindow) -> Verdict {
    let findings = findings(window)
    if let broken = findings.first(where: \.isBroken) { return .rollBack(reason: broken.text) }
    guard !findings.isEmpty, findings.allSatisfy(\.holds) else { return .undecided }
    return .promote(reason: findings.map(\.text).joined(separator: ", "))
  }

  private func finding(_ gate: RolloutGate, _ index: Int, _ drift: RolloutDrift) -> Finding {
    guard let look = drift.look(ofGate: index) else { return Finding(gate: gate, value: nil, isDecided: false) }
    let feature = drift.column(look.finding.column, ofGate: index)
    return Finding(
      gate: gate, value: look.finding.effect, isDecided: look.finding.state != .undecided,
      predictions: look.finding.candidateCount,
      drift: DriftEvidence(finding: look.finding, feature: feature, offsets: look.offsets))
  }

  private func value(_ metric: RolloutGate.Metric, _ figures: RolloutFigures) -> Double? {
    switch metric {
    case .errorRate: figures.challenger.failureRate
    case .latencyMilliseconds: figures.challenger.scoringMilliseconds99
    case .scorePSI: figures.scorePSI
    case .disagreement: figures.agreement.map { 1 - $0 }
    // Of distributions, not of figures: `finding`.
    case .scoreDrift, .featureDrift: nil
    }
  }
}
