internal import ArgumentParser
internal import Core
internal import Registry
internal import Training

struct RetrainListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Retrainings, newest first.",
    discussion: "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the broker is unreachable.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Option(help: ArgumentHelp("Of one policy: NAME or TOPOLOGY.NAME.", valueName: "name")) var policy: String?
  @Flag(help: "Those that have not ended.") var open = false
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let registry = try await ClusterRegistry(connection).snapshot().registry
    let found = registry.retrainings().reversed().filter { entry in
      let key = entry.retraining.policy
      return (!open || entry.isOpen) && policy.map { key == $0 || key.hasSuffix(".\($0)") } ?? true
    }
    switch output {
    case .json:
      for entry in found {
        try StandardOutput.writeAll(RetrainingText(entry, registry).json + [UInt8(ascii: "\n")])
      }
    case .table:
      var table = Table([
        ("retraining", .left), ("model", .left), ("step", .left), ("cause", .left), ("opened", .left), ("note", .left),
      ])
      for entry in found {
        table.append([
          entry.retraining.id, entry.retraining.model, entry.step.rawValue,
          RetrainingCause(json: entry.retraining.cause)?.trigger ?? "",
          RFC3339.text(milliseconds: entry.opened.timeMilliseconds), String((entry.steps.last?.note ?? "").prefix(60)),
        ])
      }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }
}

struct RetrainShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "One retraining: its cause, and every step with what it found.",
    discussion: "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the broker is unreachable.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: "The retraining.") var id: String
  @Option(help: ArgumentHelp("Write the page for those who decide there.", valueName: "file")) var page: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let registry = try await ClusterRegistry(connection).snapshot().registry
    let text = try RetrainingText.find(id, registry)
    if let page { try NewFile.replace(page, with: Array(text.page.utf8)) }
    switch output {
    case .json: try StandardOutput.writeAll(text.json + [UInt8(ascii: "\n")])
    case .table: try StandardOutput.writeAll(Array(text.lines.utf8))
    }
  }
}

struct RetrainCancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Stop a retraining; what answers stays as it is.",
    discussion: """
      Its process is ended, and a rollout of its version with it. What was registered stays registered. Exit codes: 0 \
      stopped; 1 refused; 2 wrong usage; 3 the broker is unreachable.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: "The retraining.") var id: String
  @Option(help: ArgumentHelp("Why; kept with it.", valueName: "text")) var reason: String?

  func run() async throws {
    let cluster = try ClusterRegistry(connection)
    let registry = try await cluster.snapshot().registry
    let entry = try RetrainingText.find(id, registry).retraining
    let who = ClusterRegistry.actor
    try await cluster.send(
      .advanceRetraining(
        id: id, from: entry.step, to: .stopped, note: "cancelled by \(who)\(reason.map { ": \($0)" } ?? "")",
        evidence: ""), reason: reason, place: id)
    for (alias, version) in entry.rollouts(registry) {
      try await cluster.send(
        .endRollout(
          model: entry.retraining.model, alias: alias.name, version: version, verdict: .stopped,
          expected: alias.version ?? 0), reason: reason, place: id)
    }
    try StandardOutput.writeLine("\(id): stopped")
  }
}

extension RegisteredRetraining {
  /// Rollouts of its version that go on.
  func rollouts(_ registry: RegistryState) -> [(alias: RegisteredAlias, version: Int)] {
    guard let model = registry[retraining.model],
      let version = model.versions.first(where: { $0.version.lineage?.runID == retraining.id })?.version.number
    else { return [] }
    return model.aliases.values.sorted { $0.name < $1.name }.filter { alias in
      alias.rollouts.contains { $0.version == version }
    }.map { ($0, version) }
  }
}
