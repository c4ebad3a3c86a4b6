internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsRollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "End a canary, or go back to the version before.",
    discussion: """
      While a canary or an A/B test is under way it ends, and the version that the alias stands for answers for all keys \
      again. Else the alias goes back to the version that it stood for before the present one. --to names another one.
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: ArgumentHelp("Go back to this version.", valueName: "version")) var to: Int?

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    let known = try await cluster.snapshot()
    let registered = try known.model(model.name)
    let current = try known.current(model.alias, of: registered)
    let alias = registered.aliases[model.alias]
    if to == nil, let rollout = alias?.rollouts.first(where: \.answers) {
      try await cluster.send(
        .endRollout(
          model: model.name, alias: model.alias, version: rollout.version, verdict: .rolledBack, expected: current),
        reason: model.reason, place: model.place)
      return try model.tell("version \(current) answers for all keys, version \(rollout.version) for none") {
        $0.member("version", current)
        $0.member("ended", rollout.version)
      }
    }
    let before = to ?? alias?.history.last { $0.version != nil && $0.version != current }?.version
    guard let before else {
      throw HeadraceError(
        .user, "NOTHING_BEFORE", "version \(current) is the first that the alias stands for", place: model.place,
        remedy: "--to VERSION names another one")
    }
    try known.check(try known.version(before, of: registered), alias: model.alias)
    try await cluster.send(
      .setAlias(model: model.name, alias: model.alias, version: before, expected: current), reason: model.reason,
      place: model.place)
    try model.tell("version \(before) answers, in the place of version \(current)") {
      $0.member("version", before)
      $0.member("before", current)
    }
  }
}
