internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsCanaryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "canary", abstract: "Let a version answer for a share of the keys.",
    discussion: """
      Which keys is a hash of the key and a salt: a key has the same version everywhere and always, and a larger share \
      of the same version keeps the keys of the smaller one. Each prediction names its version and its arm. Called \
      again it changes the share. With --automatic the gates promote the version, or roll it back, by themselves.
      """)

  @OptionGroup var model: ModelOptions
  @Argument(help: ArgumentHelp("The version.", valueName: "version")) var version: Int
  @Option(help: ArgumentHelp("Of the keys, such as 5% or 0.05.", valueName: "share")) var share: KeyShareArgument
  @Option(help: ArgumentHelp("Mixed into the hash of the key. (default: NAME:VERSION)", valueName: "text"))
  var salt: String?
  @Option(
    name: .customLong("segment"),
    help: ArgumentHelp(
      "Only for events where this holds, such as \"country == 'DE'\"; repeatable: where one of them does.",
      valueName: "expression"))
  var segments: [String] = []
  @Flag(help: "It is a comparison (A/B): the arm is called split.") var split = false
  @OptionGroup(title: "Gates") var gates: GateOptions

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    let known = try await cluster.snapshot()
    let registered = try known.model(model.name)
    let current = try known.current(model.alias, of: registered)
    let rollout = Rollout(
      kind: split ? .split : .canary, version: version, sharePerMille: share.perMille,
      salt: salt ?? "\(model.name):\(version)", segments: segments, gates: try gates.rolloutGates(),
      decides: gates.decides)
    try known.check(try known.version(version, of: registered), alias: model.alias, rollout: rollout)
    try await cluster.send(
      .startRollout(model: model.name, alias: model.alias, rollout: rollout, expected: current), reason: model.reason,
      place: model.place)
    try model.tell(
      "version \(version) answers for \(Double(share.perMille) / 10) % of the keys, version \(current) for the others"
    ) {
      $0.member("version", version)
      $0.member("champion", current)
      $0.member("share_per_mille", share.perMille)
    }
  }
}
