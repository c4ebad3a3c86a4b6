import Core
import Registry

/// The rules of the registry once more, as plainly as they can be said.
struct NaiveRegistry: Equatable {
  struct Alias: Equatable {
    var stoodFor: [Int?] = []
    /// Verdict: empty while it runs.
    var rollouts: [(version: Int, kind: String, verdict: String)] = []

    static func == (left: Alias, right: Alias) -> Bool {
      left.stoodFor == right.stoodFor && left.rollouts.map(\.version) == right.rollouts.map(\.version)
        && left.rollouts.map(\.kind) == right.rollouts.map(\.kind)
        && left.rollouts.map(\.verdict) == right.rollouts.map(\.verdict)
    }

    mutating func finish(_ version: Int, _ verdict: String) {
      for index in rollouts.indices where rollouts[index].version == version && rollouts[index].verdict.isEmpty {
        rollouts[index].verdict = verdict
      }
    }

    func running(_ version: Int) -> Bool { rollouts.contains { $0.version == version && $0.verdict.isEmpty } }
  }

  var hashes: [String: [String]] = [:]
  var aliases: [String: Alias] = [:]
  var training = NaiveTraining()

  init() {}

  init(_ state: RegistryState) {
    for (name, model) in state.models {
      hashes[name] = model.versions.map(\.version.contentHash)
      for (alias, content) in model.aliases {
        aliases["\(name)@\(alias)"] = Alias(
          stoodFor: content.history.map(\.version),
          rollouts: content.rolloutHistory.map {
            ($0.rollout.version, $0.rollout.kind.rawValue, $0.verdict?.rawValue ?? "")
          })
      }
    }
    training = NaiveTraining(state)
  }

  func now(_ model: String, _ alias: String) -> Int? { aliases["\(model)@\(alias)"]?.stoodFor.last ?? nil }

  mutating func apply(_ command: RegistryCommand, timeMilliseconds: Int64) {
    switch command.change {
    case .addVersion(let version):
      let known = hashes[version.model] ?? []
      let isKnownRun = version.lineage?.runID.map { training.runs[$0] != nil } ?? true
      if version.number == known.count + 1, !known.contains(version.contentHash), isKnownRun {
        hashes[version.model] = known + [version.contentHash]
      }
    case .setAlias(let model, let name, let version, let expected):
      guard let count = hashes[model]?.count, now(model, name) == expected, version != expected else { return }
      if let version, version > count { return }
      var alias = aliases["\(model)@\(name)"] ?? Alias()
      alias.stoodFor.append(version)
      if let version {
        alias.finish(version, "promoted")
      } else {
        for rollout in alias.rollouts { alias.finish(rollout.version, "stopped") }
      }
      aliases["\(model)@\(name)"] = alias
    case .startRollout(let model, let name, let rollout, let expected):
      guard let count = hashes[model]?.count, now(model, name) == expected, rollout.version <= count,
        rollout.version != expected, var alias = aliases["\(model)@\(name)"]
      else { return }
      let others = alias.rollouts.filter { $0.verdict.isEmpty && $0.version != rollout.version }
      if rollout.kind == .shadow, others.count(where: { $0.kind == "shadow" }) >= 8 { return }
      if rollout.kind != .shadow, others.contains(where: { $0.kind != "shadow" }) { return }
      alias.finish(rollout.version, "replaced")
      alias.rollouts.append((rollout.version, rollout.kind.rawValue, ""))
      aliases["\(model)@\(name)"] = alias
    case .endRollout(let model, let name, let version, let verdict, let expected):
      guard now(model, name) == expected, var alias = aliases["\(model)@\(name)"], alias.running(version) else {
        return
      }
      if verdict == .promoted { alias.stoodFor.append(version) }
      alias.finish(version, verdict.rawValue)
      aliases["\(model)@\(name)"] = alias
    default: training.apply(command, timeMilliseconds: timeMilliseconds, hashes: hashes)
    }
  }
}

extension RegistryCommand {
  /// A command that fits what is there more often than not.
  static func random(_ random: inout SplitMix64, _ oracle: NaiveRegistry) -> RegistryCommand {
    if Bool.random(using: &random) { return randomTraining(&random, oracle.training) }
    let model = ["m", "n", "o", "p"][Int.random(in: 0..<4, using: &random)]
    let alias = ["champion", "challenger", "old"][Int.random(in: 0..<3, using: &random)]
    let count = oracle.hashes[model]?.count ?? 0
    let version = Int.random(in: 1...max(count, 1) + 1, using: &random)
    let now = oracle.now(model, alias)
    let expected = Int.random(in: 0..<10, using: &random) == 0 ? version : now
    let change: Change
    switch Int.random(in: 0..<12, using: &random) {
    case 0:
      change = .addVersion(
        .sample(
          model: model, number: count + (version.isMultiple(of: 5) ? 0 : 1),
          content: Int.random(in: 1..<200, using: &random),
          lineage: version.isMultiple(of: 3)
            ? VersionLineage(runID: "r\(Int.random(in: 0..<40, using: &random))", metrics: .samples) : nil))
    case 1..<5:
      let target = Int.random(in: 0..<8, using: &random) == 0 ? nil : version
      change = .setAlias(model: model, alias: alias, version: target, expected: expected)
    case 5..<9:
      let kind = Rollout.Kind.allCases[Int.random(in: 0..<3, using: &random)]
      let rollout = Rollout(kind: kind, version: version, sharePerMille: 7, gates: [])
      change = .startRollout(model: model, alias: alias, rollout: rollout, expected: expected ?? 1)
    default:
      let verdict = RolloutVerdict.allCases[Int.random(in: 0..<3, using: &random)]
      change = .endRollout(model: model, alias: alias, version: version, verdict: verdict, expected: expected ?? 1)
    }
    return RegistryCommand(actor: "ada", change: change)
  }
}
