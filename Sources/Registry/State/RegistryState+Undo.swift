package import Core

extension RegistryState {
  /// - Throws: `MODEL_NOT_FOUND`, with the nearest name.
  package func model(_ name: String) throws(HeadraceError) -> RegisteredModel {
    if let model = self[name] { return model }
    let refusal = RegistryRefusal.modelUnknown(nearest: NearestName.of(name, in: models.keys.sorted()))
    throw refusal.error(place: name)
  }
}

/// What lets a version answer, and what takes it back: the same on the command line and over HTTP.
extension RegistryState {
  /// - Parameter expected: what the alias stands for, as whoever decides saw it; 0: nothing. nil: whatever it is now.
  /// - Throws: `MODEL_NOT_FOUND`, `MODEL_VERSION_NOT_FOUND`.
  package func promotion(
    of number: Int, model name: String, alias: String, expected: Int? = nil
  ) throws(HeadraceError) -> (change: RegistryCommand.Change, version: ModelVersion, before: Int?) {
    let model = try self.model(name)
    let version = try version(number, of: model)
    let current = model.aliases[alias]?.version
    let change = RegistryCommand.Change.setAlias(
      model: name, alias: alias, version: number, expected: expected.map { $0 == 0 ? nil : $0 } ?? current)
    return (change, version, current)
  }

  /// How an alias goes back: a canary or A/B test under way ends, else the version before the present one answers
  /// again.
  package struct Rollback: Sendable {
    package var change: RegistryCommand.Change
    /// What answers for all keys then.
    package var version: ModelVersion
    /// What the alias stands for now.
    package var current: Int
    /// The rollout that ends, by its version; nil when the alias itself goes back.
    package var ended: Int?
  }

  /// - Parameter target: go back to this version, whatever is under way; nil: to what was before.
  /// - Throws: `MODEL_NOT_FOUND`, `ALIAS_NOT_FOUND`, `MODEL_VERSION_NOT_FOUND`, `NOTHING_BEFORE`.
  package func rollback(
    model name: String, alias: String, to target: Int? = nil, expected: Int? = nil
  ) throws(HeadraceError) -> Rollback {
    let model = try self.model(name)
    let place = "\(name)@\(alias)"
    guard let registered = model.aliases[alias], let current = registered.version else {
      throw HeadraceError(
        .user, "ALIAS_NOT_FOUND", "the alias stands for no version yet", place: place,
        remedy: "headrace models promote \(name) VERSION lets one answer")
    }
    if target == nil, let rollout = registered.rollouts.first(where: \.answers) {
      let change = RegistryCommand.Change.endRollout(
        model: name, alias: alias, version: rollout.version, verdict: .rolledBack, expected: expected ?? current)
      return Rollback(
        change: change, version: try version(current, of: model), current: current, ended: rollout.version)
    }
    guard let before = target ?? registered.history.last(where: { $0.version != nil && $0.version != current })?.version
    else {
      throw HeadraceError(
        .user, "NOTHING_BEFORE", "version \(current) is the first that the alias stands for", place: place,
        remedy: "name the version to go back to (--to VERSION)")
    }
    let change = RegistryCommand.Change.setAlias(
      model: name, alias: alias, version: before, expected: expected ?? current)
    return Rollback(change: change, version: try version(before, of: model), current: current)
  }

  private func version(_ number: Int, of model: RegisteredModel) throws(HeadraceError) -> ModelVersion {
    if let version = model[number] { return version }
    throw RegistryRefusal.versionUnknown(number, count: model.versions.count).error(place: model.name)
  }
}
