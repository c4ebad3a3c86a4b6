internal import Core

/// What the commands of a log say up to an offset: models with their versions, aliases and rollouts; runs, approvals
/// and retrainings.
///
/// A value without clock and disk, so that every reader of the same commands decides the same.
package struct RegistryState: Sendable, Hashable {
  package internal(set) var models: [String: RegisteredModel] = [:]
  /// By id, as approvals and retrainings are.
  package internal(set) var runs: [String: RegisteredRun] = [:]
  package internal(set) var approvals: [String: RegisteredApproval] = [:]
  package internal(set) var retrainings: [String: RegisteredRetraining] = [:]
  /// By `topology.model`, oldest first.
  package internal(set) var samplings: [String: [RegisteredSampling]] = [:]
  /// Of the newest command, followed or refused; -1 before the first.
  package internal(set) var offset: Int64 = -1

  package init() {}

  package subscript(model: String) -> RegisteredModel? { models[model] }

  /// Follows a command, or says why not.
  ///
  /// - Parameters:
  ///   - offset: its place in the log; one that is not newer than `self.offset` was applied before.
  ///   - timeMilliseconds: of its record.
  @discardableResult
  package mutating func apply(
    _ command: RegistryCommand, offset: Int64, timeMilliseconds: Int64
  ) -> RegistryOutcome {
    guard offset > self.offset else { return .refused(.repeated) }
    self.offset = offset
    let entry = RegistryEntry(
      commandID: command.id, actor: command.actor, reason: command.reason, offset: offset,
      timeMilliseconds: timeMilliseconds)
    do throws(RegistryRefusal) {
      try apply(command.change, entry)
      return .applied
    } catch {
      return .refused(error)
    }
  }

  /// Passes over a record that holds no command that this program can follow.
  package mutating func skip(offset: Int64) { self.offset = max(self.offset, offset) }

  /// What would become of a command that comes next.
  package func outcome(
    of change: RegistryCommand.Change, actor: String = "", timeMilliseconds: Int64 = 0
  ) -> RegistryOutcome {
    var copy = self
    return copy.apply(
      RegistryCommand(id: "", actor: actor, change: change), offset: offset &+ 1, timeMilliseconds: timeMilliseconds)
  }

  private mutating func apply(_ change: RegistryCommand.Change, _ entry: RegistryEntry) throws(RegistryRefusal) {
    switch change {
    case .addVersion(let version): try add(version, entry)
    case .setAlias(let model, let alias, let version, let expected):
      try setAlias(try known(model), alias, version, expected: expected, entry)
    case .startRollout(let model, let alias, let rollout, let expected):
      try start(rollout, try known(model), alias, expected: expected, entry)
    case .endRollout(let model, let alias, let version, let verdict, let expected):
      try end(version, verdict, try known(model), alias, expected: expected, entry)
    case .startRun(let run): try start(run, entry)
    case .finishRun(let id, let result): try finish(id, result, entry)
    case .requestApproval(let approval): try request(approval, entry)
    case .decideApproval(let id, let verdict): try decide(id, verdict, entry)
    case .openRetraining(let retraining): try open(retraining, entry)
    case .advanceRetraining(let id, let from, let to, let note, let evidence):
      try advance(id, from: from, to: to, note: note, evidence: evidence, entry)
    case .claimRetraining(let id, let worker, let until, let expected):
      try claim(id, worker: worker, untilMilliseconds: until, expected: expected, entry)
    case .setSampling(let sampling, let expected): try set(sampling, expected: expected, entry)
    }
  }

  func known(_ name: String) throws(RegistryRefusal) -> RegisteredModel {
    guard let model = models[name] else {
      throw .modelUnknown(nearest: NearestName.of(name, in: models.keys.sorted()))
    }
    return model
  }

  private mutating func add(_ version: ModelVersion, _ entry: RegistryEntry) throws(RegistryRefusal) {
    guard RegistryLimits.isModelName(version.model) else { throw .nameInvalid(version.model) }
    var model = models[version.model] ?? RegisteredModel(name: version.model)
    if let known = model.versions.first(where: { $0.version.contentHash == version.contentHash }) {
      throw .contentKnown(version: known.version.number)
    }
    guard version.number == model.versions.count + 1 else {
      throw .versionOvertaken(next: model.versions.count + 1)
    }
    if let run = version.lineage?.runID, runs[run] == nil { throw .runUnknown(run) }
    model.versions.append(.init(version: version, entry: entry))
    models[version.model] = model
  }

  private mutating func setAlias(
    _ model: RegisteredModel, _ name: String, _ version: Int?, expected: Int?, _ entry: RegistryEntry
  ) throws(RegistryRefusal) {
    guard RegistryLimits.isAliasName(name) else { throw .nameInvalid(name) }
    var alias = model.aliases[name] ?? RegisteredAlias(name: name)
    guard alias.version == expected else { throw .aliasOvertaken(found: alias.version, expected: expected) }
    guard alias.version != version else { throw version == nil ? .aliasUnknown : .unchanged }
    if let version { try model.check(version) }
    alias.set(version, entry)
    models[model.name]?.aliases[name] = alias
  }

  private mutating func start(
    _ rollout: Rollout, _ model: RegisteredModel, _ name: String, expected: Int, _ entry: RegistryEntry
  ) throws(RegistryRefusal) {
    var alias = try model.alias(name, standingFor: expected)
    try model.check(rollout.version)
    guard rollout.version != expected else { throw .rolloutOfCurrent }
    let others = alias.rollouts.filter { $0.version != rollout.version }
    if rollout.answers, let running = others.first(where: \.answers) {
      throw .rolloutRunning(version: running.version)
    }
    if !rollout.answers, others.count(where: { !$0.answers }) >= RegistryLimits.shadows { throw .tooManyShadows }
    alias.end(.replaced, entry) { $0.version == rollout.version }
    alias.rolloutHistory.append(.init(rollout: rollout, began: entry))
    models[model.name]?.aliases[name] = alias
  }

  private mutating func end(
    _ version: Int, _ verdict: RolloutVerdict, _ model: RegisteredModel, _ name: String, expected: Int,
    _ entry: RegistryEntry
  ) throws(RegistryRefusal) {
    var alias = try model.alias(name, standingFor: expected)
    guard alias.rollouts.contains(where: { $0.version == version }) else { throw .rolloutUnknown(version: version) }
    if verdict == .promoted {
      alias.set(version, entry)
    } else {
      alias.end(verdict, entry) { $0.version == version }
    }
    models[model.name]?.aliases[name] = alias
  }
}

extension RegisteredModel {
  func check(_ number: Int) throws(RegistryRefusal) {
    guard self[number] != nil else { throw .versionUnknown(number, count: versions.count) }
  }

  fileprivate func alias(_ name: String, standingFor expected: Int) throws(RegistryRefusal) -> RegisteredAlias {
    guard let alias = aliases[name], alias.version != nil else { throw .aliasUnknown }
    guard alias.version == expected else { throw .aliasOvertaken(found: alias.version, expected: expected) }
    return alias
  }
}

extension RegisteredAlias {
  /// A version that takes the alias is no challenger any more; an alias that goes takes its rollouts along.
  fileprivate mutating func set(_ version: Int?, _ entry: RegistryEntry) {
    history.append(.init(version: version, entry: entry))
    if version == nil {
      end(.stopped, entry) { _ in true }
    } else {
      end(.promoted, entry) { $0.version == version }
    }
  }

  fileprivate mutating func end(_ verdict: RolloutVerdict, _ entry: RegistryEntry, where matches: (Rollout) -> Bool) {
    for index in rolloutHistory.indices where rolloutHistory[index].ended == nil {
      guard matches(rolloutHistory[index].rollout) else { continue }
      rolloutHistory[index].ended = entry
      rolloutHistory[index].verdict = verdict
    }
  }
}
