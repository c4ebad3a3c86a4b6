internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsPromoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promote", abstract: "Let a version answer.",
    discussion: """
      Every task goes over to it at its next commit, at an offset that is recorded; no prediction is lost or made \
      twice. A rollout of the version ends as promoted. Of two who promote at the same moment one wins, and the other \
      one is told.
      """)

  @OptionGroup var model: ModelOptions
  @Argument(help: ArgumentHelp("The version.", valueName: "version")) var version: Int
  @Option(help: ArgumentHelp("Only while the alias stands for this version; 0: for none.", valueName: "version"))
  var expect: Int?

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    let known = try await cluster.snapshot()
    let promotion = try known.registry.promotion(of: version, model: model.name, alias: model.alias, expected: expect)
    try known.check(promotion.version, alias: model.alias)
    try await cluster.send(promotion.change, reason: model.reason, place: model.place)
    try model.tell("version \(version) answers" + (promotion.before.map { ", before it version \($0)" } ?? "")) {
      $0.member("version", version)
      if let before = promotion.before { $0.member("before", before) }
    }
  }
}
