internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Every version of a model, and what its aliases stood for when.")

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name")) var name: String
  @OptionGroup var store: ModelStoreOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let model = try store.existing().database.state().model(name)
    switch output {
    case .json: try StandardOutput.writeAll(json(model))
    case .table: try StandardOutput.writeAll(Array(text(model).utf8))
    }
  }

  private func text(_ model: RegisteredModel) -> String {
    var versions = Table([
      ("version", .right), ("aliases", .left), ("added", .left), ("by", .left), ("file", .left), ("summary", .left),
      ("note", .left),
    ])
    for entry in model.versions {
      let version = entry.version
      let aliases = model.standingAliases.filter { $0.version == version.number }.map(\.name)
      versions.append([
        "\(version.number)", aliases.joined(separator: ", "), RFC3339.text(milliseconds: version.addedAtMilliseconds),
        version.addedBy, String(version.contentHash.prefix(12)), version.summary, version.note,
      ])
    }
    let changes = model.changes
    guard !changes.isEmpty else { return versions.text }
    var history = Table([("alias", .left), ("version", .right), ("since", .left), ("by", .left), ("reason", .left)])
    for (alias, change) in changes {
      history.append([
        alias, change.version.map { "\($0)" } ?? "none", RFC3339.text(milliseconds: change.entry.timeMilliseconds),
        change.entry.actor, change.entry.reason,
      ])
    }
    return versions.text + "\n" + history.text
  }

  private func json(_ model: RegisteredModel) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("model", model.name)
      json.key("aliases")
      json.object { json in for alias in model.standingAliases { json.member(alias.name, alias.version) } }
      json.key("versions")
      json.array { array in
        for entry in model.versions { array.object { entry.version.writeMembers(to: &$0) } }
      }
      json.key("history")
      json.array { array in
        for (alias, change) in model.changes {
          array.object { json in
            json.member("alias", alias)
            json.key("version")
            if let version = change.version { json.number(version) } else { json.null() }
            json.member("since", RFC3339.text(milliseconds: change.entry.timeMilliseconds))
            json.member("by", change.entry.actor)
            json.member("reason", change.entry.reason)
            json.member("offset", change.entry.offset)
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

extension RegisteredModel {
  /// Of all aliases, oldest first.
  fileprivate var changes: [(alias: String, change: RegisteredAlias.Change)] {
    aliases.values.flatMap { alias in alias.history.map { (alias.name, $0) } }
      .sorted { $0.1.entry.offset < $1.1.entry.offset }
  }
}

extension RegistryState {
  /// - Throws: `MODEL_NOT_FOUND`, with the nearest name.
  func model(_ name: String) throws(HeadraceError) -> RegisteredModel {
    if let model = self[name] { return model }
    let refusal = RegistryRefusal.modelUnknown(nearest: NearestName.of(name, in: models.keys.sorted()))
    throw refusal.error(place: name)
  }
}
