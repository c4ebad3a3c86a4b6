internal import Registry
internal import Topology

// Shadow and canary: the version beside the one that answers.

extension RetrainingMachine {
  func shadow(_ view: RetrainingView) -> RetrainingAction {
    guard let shadow = policy.shadow else { return view.advance(to: view.step(after: .shadow), "", evidence: "") }
    let gates = shadow.gates.map { $0.rolloutGate(predictionsMin: max(shadow.eventCount, 1)) }
    return trial(
      view, Rollout(kind: .shadow, version: view.version ?? 0, gates: gates), milliseconds: shadow.milliseconds,
      eventCount: shadow.eventCount)
  }

  func canary(_ view: RetrainingView) -> RetrainingAction {
    guard let canary = policy.canary else { return view.advance(to: view.step(after: .canary), "", evidence: "") }
    let gates = canary.gates.map { $0.rolloutGate(predictionsMin: max(canary.eventCount, 1)) }
    let rollout = Rollout(
      kind: .canary, version: view.version ?? 0, sharePerMille: canary.sharePerMille, salt: view.id, gates: gates)
    return trial(view, rollout, milliseconds: canary.milliseconds, eventCount: canary.eventCount)
  }

  /// Begins a rollout, or looks at how it goes.
  private func trial(
    _ view: RetrainingView, _ wanted: Rollout, milliseconds: Int64, eventCount: Int
  ) -> RetrainingAction {
    guard let version = view.version, let evaluation = view.evaluation else {
      return view.end(.stopped, "the version's record cannot be read")
    }
    let step = view.retraining.step
    guard let champion = evaluation.championVersion else {
      return view.advance(to: view.step(after: step), "there is nothing to compare it with", evidence: "")
    }
    guard let current = view.registry[model]?.aliases[alias], current.version == champion else {
      return view.end(.refused, "\(alias) stands for another version now, which it was not compared with")
    }
    let since = view.retraining.steps.last?.entry.offset ?? -1
    // One that began in this step; a shadow of the same version goes on as a canary.
    let record = current.rolloutHistory.last {
      $0.rollout.version == version && $0.rollout.kind == wanted.kind && $0.began.offset > since
    }
    guard let record else {
      if wanted.answers, let other = current.rollouts.first(where: { $0.answers && $0.version != version }) {
        return view.end(.refused, "version \(other.version) answers for a share already")
      }
      return .send(.startRollout(model: model, alias: alias, rollout: wanted, expected: champion))
    }
    if record.ended != nil {
      return view.end(.refused, "the \(wanted.kind.rawValue) was ended: \(record.ended?.reason ?? "")")
    }
    guard let trial = view.facts.trial, trial.version == version else { return .wait }
    if let broken = trial.broken.first { return view.end(.refused, broken, evidence: trial.json) }
    let age = view.facts.nowMilliseconds - record.began.timeMilliseconds
    guard age >= milliseconds, trial.predictionCount >= eventCount, trial.holds else { return .wait }
    return view.advance(
      to: view.step(after: step), "\(trial.predictionCount) predictions", evidence: trial.json)
  }
}

extension PolicyRolloutGate {
  fileprivate func rolloutGate(predictionsMin: Int) -> RolloutGate {
    let metric: RolloutGate.Metric =
      switch self.metric {
      case .errorRate: .errorRate
      case .latencyMilliseconds: .latencyMilliseconds
      case .scorePSI: .scorePSI
      case .scoreDrift: .scoreDrift
      case .featureDrift: .featureDrift
      case .disagreement: .disagreement
      }
    return RolloutGate(metric: metric, atMost: atMost, predictionsMin: predictionsMin)
  }
}
