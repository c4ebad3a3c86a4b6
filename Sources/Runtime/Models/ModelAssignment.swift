package import Registry
internal import Topology

/// Which versions score the events of one model at one place of the control topic: a function of the plan and of the
/// registry's commands up to there, so that every process and every life of a task decides the same.
struct ModelAssignment: Sendable, Equatable {
  /// A version by its file.
  struct Version: Sendable, Equatable {
    /// nil: a file of the topology's folder.
    var number: Int?
    var contentHash: String
  }

  /// A version that answers for some of the keys.
  struct Challenger: Sendable, Equatable {
    var version: Version
    var rollout: Rollout
  }

  enum Fallback: Sendable, Equatable {
    case version(Version)
    case constant(Double)
  }

  /// What answers.
  var champion: Version
  var challenger: Challenger?
  /// Score the same events, and are compared.
  var shadows: [Version] = []
  var fallbacks: [Fallback] = []
  /// How many of 1,000 keys are scored; nil: all.
  var samplePerMille: Int?

  /// - Parameters:
  ///   - topology: the plan's name.
  ///   - position: of the newest command that counts.
  /// - Returns: nil when nothing may score yet: the alias stands for no version.
  init?(_ model: ModelPlan, of topology: String, _ registry: RegistryState, at position: Int64) {
    guard let stream = model.stream else { return nil }
    samplePerMille = registry.sampling(topology: topology, model: model.name, at: position)?.sampling.perMille
    if let file = stream.file {
      champion = Version(contentHash: file.contentHash)
    } else if let remote = stream.remote {
      champion = Version(contentHash: remote.contentHash)
    } else {
      guard let use = model.use, let version = registry.version(of: use, at: position) else { return nil }
      champion = version
      addRollouts(use, registry, at: position)
    }
    if let shadow = model.shadow.flatMap({ registry.version(of: $0, at: position) }), shadow != champion,
      !shadows.contains(shadow)
    {
      shadows.append(shadow)
    }
    for fallback in stream.fallbacks {
      switch fallback {
      case .constant(let score): fallbacks.append(.constant(score))
      case .model(let reference):
        if let version = registry.version(of: reference, at: position) { fallbacks.append(.version(version)) }
      }
    }
  }

  private mutating func addRollouts(_ use: ModelReference, _ registry: RegistryState, at position: Int64) {
    guard case .alias(let name) = use.selector, let registered = registry[use.model],
      let alias = registered.aliases[name]
    else { return }
    for rollout in alias.rollouts(at: position) {
      guard let version = registered[rollout.version] else { continue }
      let file = Version(number: version.number, contentHash: version.contentHash)
      if rollout.answers {
        challenger = Challenger(version: file, rollout: rollout)
      } else {
        shadows.append(file)
      }
    }
  }

  /// Every file that is needed.
  var contentHashes: [String] {
    var hashes = [champion.contentHash] + shadows.map(\.contentHash)
    if let challenger { hashes.append(challenger.version.contentHash) }
    for case .version(let version) in fallbacks { hashes.append(version.contentHash) }
    return hashes
  }
}

extension RegistryState {
  fileprivate func version(of reference: ModelReference, at position: Int64) -> ModelAssignment.Version? {
    guard let model = self[reference.model] else { return nil }
    let number: Int? =
      switch reference.selector {
      case .alias(let name): model.aliases[name]?.version(atOffset: position)
      case .version(let number):
        model.versions.first { $0.version.number == number && $0.entry.offset <= position }?.version.number
      }
    return number.flatMap { model[$0] }.map { .init(number: $0.number, contentHash: $0.contentHash) }
  }

  /// The newest command up to `position` that concerns one of the models; -1 when there is none. Two places with the
  /// same one have the same assignments.
  func position(of models: [ModelPlan], of topology: String, at position: Int64) -> Int64 {
    var newest: Int64 = -1
    for model in models where model.stream != nil {
      for sampling in samplings(topology: topology, model: model.name) where sampling.entry.offset <= position {
        newest = max(newest, sampling.entry.offset)
      }
    }
    for reference in models.flatMap(\.references) {
      guard let model = self[reference.model] else { continue }
      switch reference.selector {
      case .version(let number):
        let offset = model.versions.first { $0.version.number == number }?.entry.offset
        if let offset, offset <= position { newest = max(newest, offset) }
      case .alias(let name):
        guard let alias = model.aliases[name] else { continue }
        let rollouts = alias.rolloutHistory.flatMap { [$0.began.offset, $0.ended?.offset].compactMap(\.self) }
        for offset in alias.history.map(\.entry.offset) + rollouts where offset <= position {
          newest = max(newest, offset)
        }
      }
    }
    return newest
  }
}

extension RegisteredAlias {
  /// Rollouts that were under way when the command at `position` had been followed.
  package func rollouts(at position: Int64) -> [Rollout] { records(at: position).map(\.rollout) }

  /// The same, with who began them and when.
  package func records(at position: Int64) -> [RolloutRecord] {
    rolloutHistory.filter { record in
      record.began.offset <= position && (record.ended.map { $0.offset > position } ?? true)
    }
  }
}

extension ModelPlan {
  /// What it asks the registry for.
  var references: [ModelReference] {
    guard let stream else { return [] }
    var found = [use, shadow].compactMap(\.self)
    for case .model(let reference) in stream.fallbacks { found.append(reference) }
    return found
  }
}
