internal import Core
internal import Cost
internal import Logging
internal import Registry
internal import Topology

// Budgets that have a model score a sample: one command begins it, one ends it, and tasks go over to either with a
// commit, as they do to another version.
extension Engine {
  /// Begins the samples that this process's account asks for, and ends those whose time is over.
  ///
  /// Any process may begin and end one: a command names the one before it, and of two that name the same one the first
  /// counts. Whose budget is spent says so at the end of each span, so that another one's end does not last; what a
  /// process began that is no more ends with its time: every process looks after that, one without prices too.
  func sample(_ wanted: [CostWatch.Sampling]) {
    guard let epochs else { return }
    let (plan, now) = (epochs.plan, WallClock.system.nowMilliseconds)
    for model in plan.models where model.stream != nil {
      let newest = epochs.registry.samplings(topology: plan.name, model: model.name).last
      let current = epochs.registry.sampling(topology: plan.name, model: model.name)
      var next = Sampling(topology: plan.name, model: model.name, perMille: nil, untilMilliseconds: 0)
      let reason: String
      if let wish = wanted.first(where: { $0.model == model.name }) {
        // One that lasts is left alone, whoever began it: what is still spent at its end begins the next one.
        let isInForce = current.map { $0.sampling.perMille == wish.perMille && $0.sampling.untilMilliseconds > now }
        guard isInForce != true else { continue }
        next.perMille = wish.perMille
        next.untilMilliseconds = wish.untilMilliseconds
        reason = "budget \(wish.budget) is spent"
      } else if let current, current.sampling.untilMilliseconds <= now {
        reason = "the budget has room again"
      } else {
        continue
      }
      send(next, expected: newest?.entry.offset, reason)
    }
  }

  private func send(_ sampling: Sampling, expected: Int64?, _ reason: String) {
    let command = RegistryCommand(
      actor: "budget", reason: reason, change: .setSampling(sampling, expected: expected))
    var outcome: String
    do {
      outcome = "\(try ControlLog(configuration.client).send(command))"
    } catch {
      // It is tried again at the end of the next span.
      outcome = "\(error)"
    }
    logger.warning(
      "a budget changes how many events a model scores",
      metadata: [
        "model": "\(sampling.model)", "per_mille": "\(sampling.perMille ?? 1_000)", "reason": "\(reason)",
        "outcome": "\(outcome)",
      ])
  }
}

extension PriceBook {
  /// Whether its budgets can do to a plan's models what they are meant to.
  ///
  /// - Throws: `BUDGET_INVALID`.
  func check(_ plan: Plan, followsControlTopic: Bool) throws(HeadraceError) {
    for budget in budgets where budget.action == .sample {
      let name = String(budget.scope.dropFirst("model:".count))
      func invalid(_ what: String, _ remedy: String) -> HeadraceError {
        HeadraceError(
          .user, "BUDGET_INVALID", "budget \(budget.name) would sample model `\(name)`: \(what)", place: plan.name,
          remedy: remedy)
      }
      guard let model = plan.models.first(where: { $0.name == name }) else {
        let near = NearestName.of(name, in: plan.models.map(\.name))
        throw invalid(
          "the topology has no such model",
          near.map { "did you mean `model:\($0)`?" } ?? "name a model of the topology, or take the budget away")
      }
      guard model.stream != nil else {
        throw invalid("it scores no events of the stream", "budgets of requests can only alarm")
      }
      guard followsControlTopic else {
        throw invalid("this process does not follow the control topic", "use `action: alarm`")
      }
    }
  }
}
