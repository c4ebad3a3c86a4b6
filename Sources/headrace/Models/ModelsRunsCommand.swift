internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsRunsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "What was trained, from what, and what it was worth.",
    discussion: "Of the cluster, or with --data of a folder. JSON has parameters, data, artefacts and intervals.")

  private static let metricsShown = 3

  @OptionGroup var place: RegistryOptions
  @Option(help: ArgumentHelp("Of this experiment only.", valueName: "name")) var experiment: String?
  @Option(help: ArgumentHelp("Of this model only.", valueName: "name")) var model: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let runs = try await place.snapshot().registry.runs(experiment: experiment, model: model)
    switch output {
    case .json:
      for run in runs {
        var writer = JSONWriter()
        run.write(to: &writer)
        try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
      }
    case .table:
      var table = Table([
        ("run", .left), ("experiment", .left), ("model", .left), ("trainer", .left), ("status", .left),
        ("started", .left), ("by", .left), ("metrics", .left),
      ])
      for run in runs {
        let metrics = run.result?.metrics.prefix(Self.metricsShown).map { "\($0.name) \($0.value)" } ?? []
        table.append([
          run.run.id, run.run.experiment, run.run.model, run.run.trainer, run.result?.status.rawValue ?? "running",
          RFC3339.text(milliseconds: run.started.timeMilliseconds), run.run.startedBy,
          run.result?.error ?? metrics.joined(separator: ", "),
        ])
      }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }
}

struct ModelsExperimentsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiments", abstract: "Names that runs share, and how many runs each has.",
    discussion: "Of the cluster, or with --data of a folder.")

  @OptionGroup var place: RegistryOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let experiments = try await place.snapshot().registry.experiments
    switch output {
    case .json:
      for experiment in experiments {
        var writer = JSONWriter()
        writer.object { json in
          json.member("experiment", experiment.name)
          json.member("runs", experiment.runCount)
        }
        try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
      }
    case .table:
      var table = Table([("experiment", .left), ("runs", .right)])
      for experiment in experiments { table.append([experiment.name, "\(experiment.runCount)"]) }
      try StandardOutput.writeAll(Array(table.text.utf8))
    }
  }
}
