internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Models with their versions and aliases.",
    discussion: "Of the cluster, or with --data of a folder.")

  @OptionGroup var place: RegistryOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let state = try await place.snapshot().registry
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
    model.writeSummary(to: &writer)
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
