internal import Core

extension Plan {
  /// One line: what is fingerprinted, compared, and shown to people.
  func text(_ policy: PolicyPlan) -> String {
    var parts = ["when \(policy.triggers.map(text).joined(separator: " or "))"]
    parts.append(
      "\(policy.work.text) on \(DurationLiteral.text(policy.dataset.windowMilliseconds)) split \(policy.dataset.split)")
    parts.append("gate \(policy.gates.map(\.text).joined(separator: ", "))")
    if let slices = policy.slices {
      parts.append(
        "slices by \(slices.columns.joined(separator: " ")): \(slices.metric.rawValue) worse by at most "
          + "\(slices.worseByAtMost) from \(slices.minimumRowCount) rows")
    }
    if let shadow = policy.shadow {
      parts.append(Self.text("shadow", shadow.milliseconds, shadow.eventCount, shadow.gates))
    }
    if let canary = policy.canary {
      parts.append(
        Self.text(
          "canary of \(Double(canary.sharePerMille) / 10) %", canary.milliseconds, canary.eventCount, canary.gates))
    }
    parts.append("promote \(policy.promote.rawValue)")
    if policy.promote == .approval {
      parts.append("within \(DurationLiteral.text(policy.approvalTimeoutMilliseconds))")
    }
    let guards = policy.guards
    parts.append("cooldown \(DurationLiteral.text(guards.cooldownMilliseconds))")
    parts.append("training at most \(DurationLiteral.text(guards.trainingMilliseconds))")
    if let runs = guards.runsPerWeek { parts.append("\(runs) runs per week") }
    if guards.minimumLabelCount > 0 { parts.append("at least \(guards.minimumLabelCount) labels") }
    parts += policy.notify.map { "tells \($0.url)" }
    return "policy \(policy.name): model \(models[policy.model].name), \(parts.joined(separator: ", "))"
  }

  /// As the file says it.
  package func text(_ trigger: PolicyTrigger) -> String {
    switch trigger {
    case .drift(let monitor, let windows): "drift(\(monitors[monitor].name)) for \(windows) windows"
    case .performance(let monitor, let windows): "performance(\(monitors[monitor].name)) for \(windows) windows"
    case .every(let milliseconds, let isWallTime):
      "every \(DurationLiteral.text(milliseconds)) of \(isWallTime ? "wall" : "event") time"
    case .rows(let source, let count): "rows(\(sources[source].name)) >= \(count)"
    case .newVersion(let table): "new_version(\(table))"
    case .contractBreach(let source, let share): "contract_breach(\(sources[source].name)) > \(share)"
    case .byHand: "by_hand"
    }
  }

  private static func text(
    _ what: String, _ milliseconds: Int64, _ events: Int, _ gates: [PolicyRolloutGate]
  ) -> String {
    var text = what
    if milliseconds > 0 { text += " for \(DurationLiteral.text(milliseconds))" }
    if events > 0 { text += " over \(events) events" }
    for gate in gates { text += " \(gate.metric.rawValue)<=\(gate.atMost)" }
    return text
  }
}

extension PolicyWork {
  package var text: String {
    switch self {
    case .trainer(let trainer, let parameters):
      ([trainer.rawValue] + parameters.map { "\($0.name)=\($0.text)" }).joined(separator: " ")
    case .command(let command): command.joined(separator: " ")
    case .orchestrator(let outside): "\(outside.kind.rawValue) \(outside.target) at \(outside.url)"
    }
  }
}

extension PolicyGate {
  package var text: String {
    switch self {
    case .betterThanChampion(let metric, let margin):
      "\(metric.rawValue) better than champion" + (margin > 0 ? " by \(margin)" : "")
    case .bounds(let metric, let bounds): "\(metric.rawValue) \(bounds.text)"
    }
  }
}
