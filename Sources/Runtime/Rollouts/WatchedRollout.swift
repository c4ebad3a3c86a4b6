package import Registry
package import Topology

/// A rollout whose predictions are read: which topic they are in, and since when.
package struct WatchedRollout: Sendable, Hashable {
  /// In the registry.
  package var model: String
  package var alias: String
  /// In the topology.
  package var name: String
  package var rollout: Rollout
  /// The version that the alias stands for.
  package var champion: Int
  /// Of the command that began it.
  package var offset: Int64
  package var beganMilliseconds: Int64
  /// Where its versions are told apart.
  package var topic: String
  /// Scores of one prediction.
  package var outputCount = 1
  /// Names of the features that predictions carry; empty where they do not.
  package var features: [String] = []

  /// Those under way that concern the models of a plan.
  package static func all(_ plan: Plan, _ registry: RegistryState) -> [WatchedRollout] {
    plan.models.flatMap { model -> [WatchedRollout] in
      guard let stream = model.stream else { return [] }
      var found = commanded(model, stream, registry)
      let known = found.filter { !$0.rollout.answers }.map(\.rollout.version)
      if let declared = declared(model, stream, registry), !known.contains(declared.rollout.version) {
        found.append(declared)
      }
      for index in found.indices {
        let version = found[index].rollout.version
        let known = registry[found[index].model]?.versions.first { $0.version.number == version }
        found[index].outputCount = known?.version.outputCount ?? 1
        if stream.features == .full { found[index].features = plan.services[model.service].features.map(\.name) }
      }
      return found
    }
  }

  /// Those that commands began.
  private static func commanded(
    _ model: ModelPlan, _ stream: StreamModelPlan, _ registry: RegistryState
  ) -> [WatchedRollout] {
    guard let use = model.use, case .alias(let name) = use.selector,
      let alias = registry[use.model]?.aliases[name], let champion = alias.version
    else { return [] }
    return alias.records(at: .max).map { record in
      WatchedRollout(
        model: use.model, alias: name, name: model.name, rollout: record.rollout, champion: champion,
        offset: record.began.offset, beganMilliseconds: record.began.timeMilliseconds,
        topic: record.rollout.answers ? model.outputTopic : stream.shadowTopic)
    }
  }

  /// The shadow that the topology declares: it has no gates, and ends with its declaration.
  private static func declared(
    _ model: ModelPlan, _ stream: StreamModelPlan, _ registry: RegistryState
  ) -> WatchedRollout? {
    guard let shadow = model.shadow, let registered = registry[shadow.model] else { return nil }
    let began: RegistryEntry?
    let version: Int?
    let alias: String
    switch shadow.selector {
    case .alias(let name):
      let newest = registered.aliases[name]?.history.last
      (alias, version, began) = (name, newest?.version, newest?.entry)
    case .version(let number):
      let found = registered.versions.first { $0.version.number == number }
      (alias, version, began) = ("\(number)", found?.version.number, found?.entry)
    }
    guard let version, let began else { return nil }
    let champion = champion(model, registry)
    // The champion beside itself is not scored twice.
    guard version != champion || model.use?.model != shadow.model else { return nil }
    return WatchedRollout(
      model: shadow.model, alias: alias, name: model.name, rollout: Rollout(kind: .shadow, version: version),
      champion: champion ?? 0, offset: began.offset, beganMilliseconds: began.timeMilliseconds,
      topic: stream.shadowTopic)
  }

  /// nil: a file or an endpoint of the topology, or nothing yet.
  private static func champion(_ model: ModelPlan, _ registry: RegistryState) -> Int? {
    guard let use = model.use else { return nil }
    switch use.selector {
    case .alias(let name): return registry[use.model]?.aliases[name]?.version
    case .version(let number): return number
    }
  }
}

/// What a rollout has come to, for people.
package struct RolloutReport: Sendable {
  package var model: String
  package var alias: String
  /// In the topology.
  package var name: String
  package var champion: Int
  package var rollout: Rollout
  package var beganMilliseconds: Int64
  package var figures: RolloutFigures
  package var findings: [RolloutJudge.Finding]
  package var verdict: RolloutJudge.Verdict
}
