package import Registry

/// Holds the figures of a rollout against its gates.
package struct RolloutJudge: Sendable {
  /// What one gate says.
  package struct Finding: Sendable, Equatable {
    package var gate: RolloutGate
    /// nil: nothing to measure it by.
    package var value: Double?
    /// Whether there are enough predictions to say anything.
    package var isDecided: Bool
    /// What it is measured over.
    package var predictions = 0

    package var isBroken: Bool { isDecided && (value.map { $0 > gate.atMost } ?? false) }
    package var holds: Bool { isDecided && (value.map { $0 <= gate.atMost } ?? false) }

    /// `score_psi 0.31 of at most 0.2 over 1000 predictions`.
    var text: String {
      let found = value.map { "\(($0 * 10_000).rounded() / 10_000)" } ?? "unknown"
      return "\(gate.metric.rawValue) \(found) of at most \(gate.atMost) over \(predictions) predictions"
    }
  }

  package enum Verdict: Sendable, Equatable {
    /// Not enough is known.
    case undecided
    case promote(reason: String)
    case rollBack(reason: String)
  }

  package let rollout: Rollout

  package init(_ rollout: Rollout) { self.rollout = rollout }

  package func findings(_ window: RolloutWindow) -> [Finding] {
    rollout.gates.map { gate in
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

  private func value(_ metric: RolloutGate.Metric, _ figures: RolloutFigures) -> Double? {
    switch metric {
    case .errorRate: figures.challenger.failureRate
    case .latencyMilliseconds: figures.challenger.scoringMilliseconds99
    case .scorePSI: figures.scorePSI
    case .disagreement: figures.agreement.map { 1 - $0 }
    }
  }
}
