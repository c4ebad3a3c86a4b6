package import Core
package import Registry
package import Topology

/// Whether a version of the registry can score the events of a topology's model.
package enum ModelFit {
  /// - Parameter index: a position in the plan's models.
  /// - Throws: `MODEL_DOES_NOT_FIT`, `SEGMENT_INVALID`.
  package static func check(
    _ version: ModelVersion, segments: [String] = [], _ plan: Plan, model index: Int
  ) throws(HeadraceError) {
    try ModelLoader.check(
      featureCount: version.featureCount, names: version.featureNames, outputCount: version.outputCount, plan, index)
    for segment in segments { _ = try ModelLoader.segment(segment, plan, index) }
  }
}

/// Which keys a rollout answers for.
package enum RolloutKeys {
  package static func isChallengers(_ key: [UInt8], _ rollout: Rollout) -> Bool {
    rollout.answers && KeyShare(perMille: rollout.sharePerMille, salt: rollout.salt).contains(key)
  }
}
