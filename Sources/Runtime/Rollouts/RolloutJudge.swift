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

    package var isBroken: Bool { isDecided && (value.map { $0 > gate.atMost } ?? false) }
    package var holds: Bool { isDecided && (value.map { $0 <= gate.atMost } ?? false) }

    /// `score_psi 0.31 of at most 0.2 over 1000 predictions`.
    func text(_ predictions: Int) -> String {
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

  package func findings(_ figures: RolloutFigures) -> [Finding] {
    rollout.gates.map { gate in
      let enough = figures.challenger.predictions >= max(gate.predictionsMin, 1)
      return Finding(gate: gate, value: value(gate.metric, figures), isDecided: enough)
    }
  }

  /// One gate that is broken is enough to roll back, all of them have to hold to promote.
  package func verdict(_ figures: RolloutFigures) -> Verdict {
    let findings = findings(figures)
    let count = figures.challenger.predictions
    if let broken = findings.first(where: \.isBroken) { return .rollBack(reason: broken.text(count)) }
    guard !findings.isEmpty, findings.allSatisfy(\.holds) else { return .undecided }
    return .promote(reason: findings.map { $0.text(count) }.joined(separator: ", "))
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
