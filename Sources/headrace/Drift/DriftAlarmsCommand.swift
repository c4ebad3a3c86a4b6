internal import ArgumentParser
internal import Core
internal import Kafka
internal import Monitoring
internal import OfflineStore

struct DriftAlarmsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alarms", abstract: "The alarms of a model: what is open, since when, and how bad it is.",
    discussion: """
      Reads the table drift/MODEL, which the monitors of `run` and `dev` write. An alarm opens with the first window \
      outside its limits, and is over after `resolve_after` windows in a row inside them, or when somebody \
      acknowledges it (`drift acknowledge`).

      Exit codes: 0 written; 1 failed; 2 wrong usage.
      """)

  @Argument(help: ArgumentHelp("The model, as the topology names it.", valueName: "model")) var model: String
  @OptionGroup var place: TableOptions
  @Flag(help: "Those that are over too.") var all = false
  @Option(help: ArgumentHelp("One monitor. (default: all of the model)", valueName: "name")) var monitor: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let history = try await DriftHistory.read(model, place, monitor: monitor)
    let lives = history.lives.filter { all || $0.isOpen }
    switch output {
    case .json:
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("model", model)
        writer.key("alarms")
        writer.array { writer in for life in lives { life.write(to: &writer) } }
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    case .table:
      let text = lives.isEmpty ? "no alarms\(all ? "" : " are open")\n" : Self.text(lives)
      try StandardOutput.writeAll(Array(text.utf8))
    }
  }

  static func text(_ lives: [DriftHistory.Life]) -> String {
    var table = Table([
      ("since", .left), ("until", .left), ("feature", .left), ("severity", .left), ("windows", .right),
      ("newest", .left), ("worst", .left), ("cause", .left), ("", .left),
    ])
    for life in lives {
      table.append([
        RFC3339.text(milliseconds: life.openedMilliseconds),
        life.resolvedMilliseconds.map { RFC3339.text(milliseconds: $0) } ?? "open", life.feature, life.severity,
        "\(life.windowCount)", score(life.newest), score(life.worst), life.newest.cause,
        life.reason ?? (life.mutedBy == nil ? "" : "muted"),
      ])
    }
    return table.text
  }

  private static func score(_ evidence: DriftHistory.Evidence) -> String {
    "\(evidence.test) \(Figures.fixed(evidence.value, 3)) ≥ \(Figures.fixed(evidence.threshold, 3))"
  }
}

extension DriftHistory {
  static func read(
    _ model: String, _ place: TableOptions, range: Range<Int64> = .min..<(.max), monitor: String?
  ) async throws -> DriftHistory {
    let store = try place.store()
    return try await BlockingThread(name: "drift").run {
      let table = try TableColumns(store, name: "\(ResultTable.folder)/\(model)")
      return try DriftHistory(model: model, table, range: range, monitor: monitor)
    }
  }
}
