internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsShadowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shadow", abstract: "Let a version score the same events, and compare.",
    discussion: """
      Its predictions go to a topic of their own (<output>.shadow unless the topology names another), each with what \
      was answered beside it; nothing of what is answered changes. `headrace models rollouts` shows how the two differ.
      """)

  @OptionGroup var model: ModelOptions
  @Argument(help: ArgumentHelp("The version.", valueName: "version")) var version: Int
  @OptionGroup(title: "Gates") var gates: GateOptions

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    let known = try await cluster.snapshot()
    let registered = try known.model(model.name)
    let current = try known.current(model.alias, of: registered)
    let rollout = Rollout(
      kind: .shadow, version: version, gates: try gates.rolloutGates(), decides: gates.decides)
    try known.check(try known.version(version, of: registered), alias: model.alias, rollout: rollout)
    try await cluster.send(
      .startRollout(model: model.name, alias: model.alias, rollout: rollout, expected: current), reason: model.reason,
      place: model.place)
    try model.tell("version \(version) is compared with version \(current), which answers") {
      $0.member("version", version)
      $0.member("champion", current)
    }
  }
}
