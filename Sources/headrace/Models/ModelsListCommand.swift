internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Models with their versions and aliases.")

  @OptionGroup var store: ModelStoreOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let state = try store.existing().database.state()
    let models = state.models.values.sorted { $0.name < $1.name }
    switch output {
    case .json: try StandardOutput.writeAll(models.flatMap(json))
    case .table:
      var table = Table([
        ("model", .left), ("versions", .right), ("aliases", .left), ("newest", .left), ("added", .left),
      ])
      for model in models {
        let aliases = model.standingAliases.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        table.append([
          model.name, "\(model.versions.count)", aliases, model.newest?.summary ?? "",
          model.newest.map { RFC3339.text(milliseconds: $0.addedAtMilliseconds) } ?? "",
        ])
      }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }

  private func json(_ model: RegisteredModel) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("model", model.name)
      json.member("versions", model.versions.count)
      json.key("aliases")
      json.object { json in for alias in model.standingAliases { json.member(alias.name, alias.version) } }
      if let newest = model.newest {
        json.key("newest")
        json.object { newest.writeMembers(to: &$0) }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

extension RegisteredModel {
  /// Aliases that stand for something, by name.
  var standingAliases: [(name: String, version: Int)] {
    aliases.values.sorted { $0.name < $1.name }.compactMap { alias in alias.version.map { (alias.name, $0) } }
  }
}
