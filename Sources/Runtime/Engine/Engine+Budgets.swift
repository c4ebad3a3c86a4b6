internal import Core
internal import Cost
internal import Logging
internal import Registry
internal import Topology

// What budgets want done.
extension Engine {
  /// Lets the alias of a model stand for the budget's version, when its budget is spent. Every process of the topology
  /// may find so at the same time: the command says what it expects, and the first one counts.
  ///
  /// Nobody goes back by itself: a budget that is spent every day would change the model twice a day.
  func act(on event: CostEvent) {
    guard event.action == .smallerModel, let version = event.version, let epochs else { return }
    let name = String(event.scope.dropFirst("model:".count))
    guard let use = epochs.plan.models.first(where: { $0.name == name })?.use, case .alias(let alias) = use.selector
    else {
      return tell("a budget's model has no alias that could stand for another version", event, "not done")
    }
    guard let current = epochs.registry[use.model]?.aliases[alias]?.version, current != version else { return }
    let command = RegistryCommand(
      actor: "budget", reason: "budget \(event.name): \(event.spent) of \(event.expected) \(event.currency)",
      change: .setAlias(model: use.model, alias: alias, version: version, expected: current))
    do {
      let outcome = try ControlLog(configuration.client).send(command)
      tell("a budget is spent, a smaller model answers", event, "\(outcome)")
    } catch {
      tell("a budget is spent, and the smaller model could not be put in place", event, "\(error)")
    }
  }

  private func tell(_ message: String, _ event: CostEvent, _ outcome: String) {
    logger.warning(
      "\(message)",
      metadata: [
        "budget": "\(event.name)", "scope": "\(event.scope)", "version": "\(event.version ?? 0)",
        "outcome": "\(outcome)",
      ])
  }
}
