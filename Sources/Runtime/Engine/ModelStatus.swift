internal import Registry
internal import Synchronization
internal import Topology

/// Which versions score the events of one model in this process, for `/api/models`.
package struct ModelStatus: Sendable {
  package struct Version: Sendable {
    /// In the registry; nil for a file of the topology's folder.
    package var number: Int?
    package var contentHash: String
  }

  /// In the topology.
  package var name: String
  /// `fraud@champion`; nil for a file.
  package var use: String?
  /// nil: nothing scores yet.
  package var champion: Version?
  package var challenger: Version?
  /// What the challenger is, and how many of 1,000 keys are its.
  package var challengerKind: String?
  package var sharePerMille: Int?
  package var shadows: [Version]
  /// Of versions with a time-out.
  package var timeouts: [Timeout] = []

  /// How a version keeps its time-out.
  package struct Timeout: Sendable, Equatable {
    /// `champion`, `canary`, `split` or `fallback`.
    package var arm: String
    package var version: Int?
    package var batchMilliseconds: Int64
    /// Batches that took longer.
    package var overruns: Int
    package var longestMilliseconds: Double
    /// Its fallback answers in its place.
    package var isOpen: Bool
  }
}

extension Engine {
  /// The models of the plan, in its order.
  package var modelStatus: [ModelStatus] {
    guard let epochs else { return [] }
    let epoch = epochs.newest
    return epochs.plan.models.enumerated().compactMap { index, model in
      guard model.stream != nil else { return nil }
      let arms = epoch[index]
      func version(_ version: ModelArms.Version) -> ModelStatus.Version {
        .init(number: version.number, contentHash: version.contentHash)
      }
      return ModelStatus(
        name: model.name, use: model.use?.description, champion: arms.map { version($0.champion) },
        challenger: arms?.challenger.map { version($0.version) }, challengerKind: arms?.challenger?.kind.rawValue,
        sharePerMille: arms?.challenger?.share.perMille, shadows: arms?.shadows.map(version) ?? [],
        timeouts: (arms?.budgets ?? []).map { arm, version, budget in
          let figures = budget.figures
          return ModelStatus.Timeout(
            arm: arm, version: version.number, batchMilliseconds: budget.batchMilliseconds,
            overruns: figures.overruns, longestMilliseconds: figures.longestMilliseconds, isOpen: figures.isOpen)
        })
    }
  }

  /// Of the newest command that concerns the models, as far as this process follows it.
  package var modelPosition: Int64 { epochs?.newest.position ?? -1 }

  /// Why the newest versions of models are not taken; nil while they are.
  package var modelTrouble: String? { state.withLock { $0.modelTrouble } }

  /// What the rollouts under way have come to; empty in a process without the first task.
  package var rolloutReports: [RolloutReport] { rollouts.reports }
}
