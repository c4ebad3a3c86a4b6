internal import ArgumentParser
internal import Core
internal import Kafka
internal import Monitoring
internal import OfflineStore

struct DriftDigestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "digest", abstract: "A day of a model's alarms: open, new, over, and what they have in common.",
    discussion: """
      Reads the table drift/MODEL. A day's digest is there when the day is over in the time of events; days without \
      anything to say have none. The same is told in the topic headrace.drift as headrace.drift.digest.

      Exit codes: 0 written; 1 failed; 2 wrong usage.
      """)

  @Argument(help: ArgumentHelp("The model, as the topology names it.", valueName: "model")) var model: String
  @OptionGroup var place: TableOptions
  @Option(help: ArgumentHelp("A day, or a time in it. (default: the newest one)", valueName: "time")) var day: String?
  @Flag(help: "Every day that there is.") var all = false
  @Option(help: ArgumentHelp("One monitor. (default: all of the model)", valueName: "name")) var monitor: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    if let day, RFC3339.milliseconds(day) == nil { throw ValidationError("--day \(day): expected a date, or RFC 3339") }
  }

  func run() async throws {
    let history = try await DriftHistory.read(model, place, monitor: monitor)
    let chosen = choose(history.digests)
    switch output {
    case .json:
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("model", model)
        writer.key("digests")
        writer.array { writer in for digest in chosen { writer.raw(digest.detail.utf8) } }
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    case .table:
      let text =
        chosen.isEmpty ? "no digest: nothing was outside its limits\n" : chosen.map(text).joined(separator: "\n")
      try StandardOutput.writeAll(Array(text.utf8))
    }
  }

  private func choose(_ digests: [DriftHistory.Digest]) -> [DriftHistory.Digest] {
    if all { return digests }
    if let time = day.flatMap(RFC3339.milliseconds) {
      return digests.filter { ($0.startMilliseconds..<$0.endMilliseconds).contains(time) }
    }
    let newest = digests.map(\.startMilliseconds).max()
    return digests.filter { $0.startMilliseconds == newest }
  }

  private func text(_ digest: DriftHistory.Digest) -> String {
    guard let found = DigestText(digest.detail) else { return "" }
    var text =
      "\(model) (\(digest.monitor)), \(RFC3339.text(milliseconds: digest.startMilliseconds).prefix(10)): "
      + "\(found.counts)\n"
    if let common = found.commonCause { text += "look first at this: \(common)\n" }
    guard !found.open.isEmpty || !found.resolved.isEmpty else { return text }
    var table = Table([
      ("feature", .left), ("since", .left), ("severity", .left), ("windows", .right), ("newest", .left),
      ("worst", .left), ("cause", .left), ("mostly", .left), ("", .left),
    ])
    for line in found.open + found.resolved {
      let note = line.reason ?? line.mutedBy ?? (line.isNew ? "new" : "")
      table.append([
        line.feature, line.since, line.severity, "\(line.windows)", line.newest, line.worst, line.cause, line.part,
        note,
      ])
    }
    return text + table.text
  }
}
