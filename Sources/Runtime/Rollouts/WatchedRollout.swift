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

  /// Those under way that concern the models of a plan.
  package static func all(_ plan: Plan, _ registry: RegistryState) -> [WatchedRollout] {
    plan.models.flatMap { model -> [WatchedRollout] in
      guard let stream = model.stream, let use = model.use, case .alias(let name) = use.selector,
        let alias = registry[use.model]?.aliases[name], let champion = alias.version
      else { return [] }
      return alias.records(at: .max).map { record in
        WatchedRollout(
          model: use.model, alias: name, name: model.name, rollout: record.rollout, champion: champion,
          offset: record.began.offset, beganMilliseconds: record.began.timeMilliseconds,
          topic: record.rollout.answers ? model.outputTopic : stream.shadowTopic)
      }
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
