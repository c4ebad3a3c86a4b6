internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsStopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "End a shadow, a canary or an A/B test without a finding.")

  @OptionGroup var model: ModelOptions
  @Argument(help: ArgumentHelp("The version that takes part.", valueName: "version")) var version: Int

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    let known = try await cluster.snapshot()
    let current = try known.current(model.alias, of: try known.model(model.name))
    try await cluster.send(
      .endRollout(model: model.name, alias: model.alias, version: version, verdict: .stopped, expected: current),
      reason: model.reason, place: model.place)
    try model.tell("version \(version) takes no part any more, version \(current) answers") {
      $0.member("version", current)
      $0.member("ended", version)
    }
  }
}
