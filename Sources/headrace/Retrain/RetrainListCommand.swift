internal import ArgumentParser
internal import Core
internal import Registry
internal import Training

struct RetrainListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Retrainings, newest first.",
    discussion: """
      Of the cluster, or with --data of a folder. JSON has every step with its evidence. Exit codes: 0 done; 1 failed; \
      2 wrong usage; 3 the broker is unreachable.
      """)

  @OptionGroup var place: RegistryOptions
  @Option(help: ArgumentHelp("Of one policy: NAME or TOPOLOGY.NAME.", valueName: "name")) var policy: String?
  @Flag(help: "Those that have not ended.") var open = false
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let registry = try await place.snapshot().registry
    let found = registry.retrainings().reversed().filter { entry in
      let key = entry.retraining.policy
      return (!open || entry.isOpen) && policy.map { key == $0 || key.hasSuffix(".\($0)") } ?? true
    }
    switch output {
    case .json: for entry in found { try StandardOutput.writeAll(registry.json(of: entry)) }
    case .table:
      var table = Table([
        ("retraining", .left), ("model", .left), ("step", .left), ("cause", .left), ("opened", .left), ("note", .left),
      ])
      for entry in found {
        table.append([
          entry.retraining.id, entry.retraining.model, entry.step.rawValue, entry.cause?.trigger ?? "",
          RFC3339.text(milliseconds: entry.opened.timeMilliseconds), String((entry.steps.last?.note ?? "").prefix(60)),
        ])
      }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }
}

extension RegistryState {
  /// One line.
  fileprivate func json(of retraining: RegisteredRetraining) -> [UInt8] {
    var writer = JSONWriter()
    write(retraining, to: &writer)
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

struct RetrainShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "One retraining: its cause, and every step with what it found.",
    discussion: """
      Of the cluster, or with --data of a folder. Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the broker is \
      unreachable.
      """)

  @OptionGroup var place: RegistryOptions
  @Argument(help: "The retraining.") var id: String
  @Option(help: ArgumentHelp("Write the page for those who decide there.", valueName: "file")) var page: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let registry = try await place.snapshot().registry
    let retraining = try registry.retraining(id)
    if let page { try NewFile.replace(page, with: Array(EvidencePage(retraining).html.utf8)) }
    switch output {
    case .json: try StandardOutput.writeAll(registry.json(of: retraining))
    case .table: try StandardOutput.writeAll(Array(RetrainingText(retraining).lines.utf8))
    }
  }
}

struct RetrainCancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Stop a retraining; what answers stays as it is.",
    discussion: """
      Its process is ended, its run, and a rollout of its version with it. What was registered stays registered. \
      Called again it ends what is left. Exit codes: 0 stopped; 1 refused; 2 wrong usage; 3 the broker is unreachable.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: "The retraining.") var id: String
  @Option(help: ArgumentHelp("Why; kept with it.", valueName: "text")) var reason: String?
  @OptionGroup var actor: ActorOptions

  func run() async throws {
    let cluster = try ClusterRegistry(connection)
    var changes = try await remaining(cluster)
    guard !changes.isEmpty else {
      let step = try await cluster.snapshot().registry.retraining(id).step
      throw RegistryRefusal.retrainingOver(step).error(place: id)
    }
    // Whoever works on it may take the next step at the same moment: then what is left is looked up again.
    for attempt in 1...Self.attemptsMaximum {
      do {
        for change in changes {
          try await cluster.send(
            RegistryCommand(actor: actor.actor, reason: reason ?? "", change: change), place: id)
        }
        return try StandardOutput.writeLine("\(id): stopped")
      } catch let error as HeadraceError where error.code.hasSuffix("_OVERTAKEN") && attempt < Self.attemptsMaximum {
        changes = try await remaining(cluster)
      }
    }
  }

  private static let attemptsMaximum = 5

  /// What is to be ended: the retraining first, so that nobody begins anything more for it.
  private func remaining(_ cluster: ClusterRegistry) async throws -> [RegistryCommand.Change] {
    let registry = try await cluster.snapshot().registry
    let entry = try registry.retraining(id)
    // Of one that came to an end by itself nothing is ours to end.
    guard entry.isOpen || entry.step == .stopped else { return [] }
    var changes: [RegistryCommand.Change] = []
    if entry.isOpen {
      changes.append(
        .advanceRetraining(
          id: id, from: entry.step, to: .stopped,
          note: "cancelled by \(actor.actor)\(reason.map { ": \($0)" } ?? "")", evidence: ""))
    }
    if let run = registry.runs[id], run.result == nil {
      changes.append(.finishRun(id: id, result: RunResult(status: .cancelled, error: reason)))
    }
    for (alias, version) in registry.rollouts(of: entry) {
      changes.append(
        .endRollout(
          model: entry.retraining.model, alias: alias.name, version: version, verdict: .stopped,
          expected: alias.version ?? 0))
    }
    return changes
  }
}

extension RegistryState {
  /// Rollouts of a retraining's version that go on.
  fileprivate func rollouts(of retraining: RegisteredRetraining) -> [(alias: RegisteredAlias, version: Int)] {
    guard let version = version(madeBy: retraining), let model = self[retraining.retraining.model] else { return [] }
    return model.aliases.values.sorted { $0.name < $1.name }.filter { alias in
      alias.rollouts.contains { $0.version == version }
    }.map { ($0, version) }
  }
}
