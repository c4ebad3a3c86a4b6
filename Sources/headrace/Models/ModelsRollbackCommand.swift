internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsRollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "End a canary, or go back to the version before.",
    discussion: """
      While a canary or an A/B test is under way it ends, and the version that the alias stands for answers for all \
      keys again. Else the alias goes back to the version that it stood for before the present one. --to names \
      another one.
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: ArgumentHelp("Go back to this version.", valueName: "version")) var to: Int?

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    let known = try await cluster.snapshot()
    let rollback = try known.registry.rollback(model: model.name, alias: model.alias, to: to)
    let version = rollback.version.number
    if rollback.ended == nil { try known.check(rollback.version, alias: model.alias) }
    try await cluster.send(rollback.change, reason: model.reason, place: model.place)
    guard let ended = rollback.ended else {
      return try model.tell("version \(version) answers, in the place of version \(rollback.current)") {
        $0.member("version", version)
        $0.member("before", rollback.current)
      }
    }
    try model.tell("version \(version) answers for all keys, version \(ended) for none") {
      $0.member("version", version)
      $0.member("ended", ended)
    }
  }
}
