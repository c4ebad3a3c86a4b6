internal import ArgumentParser
internal import Core
internal import Inference
internal import Kafka
internal import Registry
internal import Runtime
internal import Storage
internal import Topology

/// The registry of a cluster: what the control topic says of models, and commands to it.
struct ClusterRegistry: Sendable {
  let client: ClientConfiguration

  init(_ client: ClientConfiguration) { self.client = client }
  init(_ connection: ConnectionOptions) throws { client = try connection.clientConfiguration() }

  /// What is there now: the registry, and the plans in force.
  struct Snapshot: Sendable {
    var registry: RegistryState
    var plans: [AppliedPlan]

    /// - Throws: `MODEL_NOT_FOUND`.
    func model(_ name: String) throws(HeadraceError) -> RegisteredModel {
      try registry.model(name)
    }

    /// - Throws: `MODEL_VERSION_NOT_FOUND`.
    func version(_ number: Int, of model: RegisteredModel) throws(HeadraceError) -> ModelVersion {
      if let version = model[number] { return version }
      throw RegistryRefusal.versionUnknown(number, count: model.versions.count).error(place: model.name)
    }

    /// What an alias stands for.
    ///
    /// - Throws: `ALIAS_NOT_FOUND`.
    func current(_ alias: String, of model: RegisteredModel) throws(HeadraceError) -> Int {
      if let version = model.aliases[alias]?.version { return version }
      throw HeadraceError(
        .user, "ALIAS_NOT_FOUND", "the alias stands for no version yet", place: "\(model.name)@\(alias)",
        remedy: "headrace models promote \(model.name) VERSION lets one answer")
    }

    /// Holds a version, and its part, against every topology that runs the model under the alias.
    func check(_ version: ModelVersion, alias: String, rollout: Rollout? = nil) throws(HeadraceError) {
      for applied in plans {
        guard case .success(let plan) = TopologyLoader.load(applied.document) else { continue }
        for (index, model) in plan.models.enumerated() where model.stream != nil {
          guard model.use == ModelReference(model: version.model, selector: .alias(alias)) else { continue }
          try ModelFit.check(version, rollout: rollout, plan, model: index)
        }
      }
    }
  }

  func snapshot() async throws -> Snapshot {
    let client = client
    return try await BlockingThread(name: "models").run {
      let log = try ControlLog(client)
      let registry = try log.currentRegistry()
      return Snapshot(registry: registry, plans: log.plans)
    }
  }

  /// Sends a command.
  ///
  /// - Throws: why it changed nothing.
  func send(_ change: RegistryCommand.Change, reason: String?, place: String) async throws {
    try await send(RegistryCommand(actor: Self.actor, reason: reason ?? "", change: change), place: place)
  }

  func send(_ command: RegistryCommand, place: String) async throws {
    let client = client
    let outcome = try await BlockingThread(name: "models").run { try ControlLog(client).send(command) }
    if case .refused(let refusal) = outcome { throw refusal.error(place: place) }
  }

  /// Who asks for it: the login's name, for the record.
  static var actor: String { ActorOptions.user }
}

/// Which alias of which model, and why: the same flags on every command that changes what scores.
struct ModelOptions: ParsableArguments {
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: ArgumentHelp("The model's name in the registry.", valueName: "name")) var name: String
  @Option(help: "Which of its aliases.") var alias = RegisteredAlias.champion
  @Option(help: ArgumentHelp("Why; kept with the change.", valueName: "text")) var reason: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  var place: String { "\(name)@\(alias)" }

  /// One line, or one JSON object.
  func tell(_ text: String, _ members: (inout JSONWriter) -> Void) throws {
    switch output {
    case .table: try StandardOutput.writeLine("\(place): \(text)")
    case .json:
      var writer = JSONWriter()
      writer.object { json in
        json.member("model", name)
        json.member("alias", alias)
        members(&json)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}
