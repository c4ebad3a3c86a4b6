internal import ArgumentParser
internal import Core
internal import Registry

/// Which registry: the cluster's, or that of a folder: the same flags on every command that reads both.
struct RegistryOptions: ParsableArguments {
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Option(help: ArgumentHelp("Of this data folder, in the place of a cluster's.", valueName: "folder"))
  var data: String?

  func validate() throws {
    guard data != nil, connection.bootstrap != nil else { return }
    throw ValidationError("--data and --bootstrap do not go together: name a folder or a cluster")
  }

  func snapshot() async throws -> ClusterRegistry.Snapshot {
    guard let data else { return try await ClusterRegistry(connection).snapshot() }
    return ClusterRegistry.Snapshot(
      registry: try LocalRegistry.existing(dataDirectory: data).database.state(), plans: [])
  }

  /// Sends a command, or writes it into the folder's log.
  ///
  /// - Throws: why it changed nothing.
  func send(_ change: RegistryCommand.Change, actor: String, reason: String, place: String) async throws {
    let command = RegistryCommand(actor: actor, reason: reason, change: change)
    guard let data else { return try await ClusterRegistry(connection).send(command, place: place) }
    let (outcome, _) = try LocalRegistry.existing(dataDirectory: data).database
      .append(timeMilliseconds: WallClock.system.nowMilliseconds) { _ in command }
    if case .refused(let refusal) = outcome { throw refusal.error(place: place) }
  }
}

/// `NAME`, `NAME@ALIAS` or `NAME:VERSION`.
struct ModelSelector: ExpressibleByArgument {
  enum Version: Equatable {
    case alias(String)
    case number(Int)
  }

  var name: String
  /// nil: the whole model.
  var version: Version?

  init?(argument: String) {
    let end = argument.firstIndex { $0 == "@" || $0 == ":" } ?? argument.endIndex
    name = String(argument[..<end])
    guard RegistryLimits.isModelName(name) else { return nil }
    guard end < argument.endIndex else { return }
    let rest = String(argument[argument.index(after: end)...])
    if argument[end] == "@" {
      guard RegistryLimits.isAliasName(rest) else { return nil }
      version = .alias(rest)
    } else {
      guard let number = Int(rest), number > 0 else { return nil }
      version = .number(number)
    }
  }

  /// The version that is meant; nil: the whole model is.
  ///
  /// - Throws: `ALIAS_NOT_FOUND`, `MODEL_VERSION_NOT_FOUND`.
  func version(of model: RegisteredModel) throws(HeadraceError) -> RegisteredModel.Version? {
    let number: Int
    switch version {
    case nil: return nil
    case .number(let wanted): number = wanted
    case .alias(let alias):
      guard let found = model.aliases[alias]?.version else {
        throw RegistryRefusal.aliasUnknown.error(place: "\(name)@\(alias)")
      }
      number = found
    }
    guard model.versions.indices.contains(number - 1) else {
      throw RegistryRefusal.versionUnknown(number, count: model.versions.count).error(place: name)
    }
    return model.versions[number - 1]
  }
}
