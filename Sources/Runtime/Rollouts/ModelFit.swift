package import Core
package import Registry
package import Topology

/// Whether a version of the registry can score the events of a topology's model.
package enum ModelFit {
  /// - Parameter index: a position in the plan's models.
  /// - Throws: `MODEL_DOES_NOT_FIT`, `SEGMENT_INVALID`, `GATE_NOT_MEASURABLE`.
  package static func check(
    _ version: ModelVersion, rollout: Rollout? = nil, _ plan: Plan, model index: Int
  ) throws(HeadraceError) {
    try ModelLoader.check(
      featureCount: version.featureCount, names: version.featureNames, outputCount: version.outputCount, plan, index)
    guard let rollout else { return }
    for segment in rollout.segments { _ = try ModelLoader.segment(segment, plan, index) }
    let hasFeatures = plan.models[index].stream?.features == .full
    for gate in rollout.gates {
      let obstacle = RolloutDrift.obstacle(
        gate.metric, rollout, outputCount: version.outputCount, hasFeatures: hasFeatures)
      guard let obstacle else { continue }
      throw HeadraceError(
        .user, "GATE_NOT_MEASURABLE", "\(gate.metric.rawValue) cannot be measured here: \(obstacle.rawValue)",
        place: plan.models[index].name, remedy: "leave the gate out")
    }
  }
}

/// Which keys a rollout answers for.
package enum RolloutKeys {
  package static func isChallengers(_ key: [UInt8], _ rollout: Rollout) -> Bool {
    rollout.answers && KeyShare(perMille: rollout.sharePerMille, salt: rollout.salt).contains(key)
  }
}
