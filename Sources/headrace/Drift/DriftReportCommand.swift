internal import ArgumentParser
internal import Core
internal import Kafka
internal import Monitoring
internal import OfflineStore

struct DriftReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "What the monitors of a model have found, as a page, as JSON or as a table.",
    discussion: """
      Reads the table drift/MODEL, which the monitors of `run` and `dev` write. The page of --html holds its plots \
      and needs nothing from anywhere.

      Exit codes: 0 written; 1 failed; 2 wrong usage.
      """)

  @Argument(help: ArgumentHelp("The model, as the topology names it.", valueName: "model")) var model: String
  @OptionGroup var place: TableOptions
  @Option(help: ArgumentHelp("Write the page to this file.", valueName: "file")) var html: String?
  @Option(help: ArgumentHelp("One monitor. (default: all of the model)", valueName: "name")) var monitor: String?
  @Option(help: ArgumentHelp("Windows that begin at this time or later.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("Windows that begin before this time.", valueName: "time")) var to: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    for (flag, text) in [("--from", from), ("--to", to)] {
      guard let text, Self.milliseconds(text) == nil else { continue }
      throw ValidationError("\(flag) \(text): expected RFC 3339, a date, or epoch milliseconds")
    }
  }

  func run() async throws {
    let start = from.flatMap(Self.milliseconds) ?? .min
    let end = to.flatMap(Self.milliseconds) ?? .max
    let history = try await DriftHistory.read(model, place, range: start..<max(start, end), monitor: monitor)
    if let html {
      let page = Array(DriftReportPage(history).html.utf8)
      _ = unsafe try NewFile.write(html) { (write) throws(HeadraceError) in
        unsafe try page.span.bytes.withUnsafeBytes { (bytes) throws(HeadraceError) in unsafe try write(bytes) }
      }
    }
    switch output {
    case .json: try StandardOutput.writeAll(history.json)
    case .table: try StandardOutput.writeAll(Array(Self.text(history).utf8))
    }
  }

  private static func milliseconds(_ text: String) -> Int64? { Int64(text) ?? RFC3339.milliseconds(text) }

  private static func text(_ history: DriftHistory) -> String {
    var features = Table([
      ("feature", .left), ("test", .left), ("windows", .right), ("last", .right), ("highest", .right),
      ("threshold", .right), ("alarms", .right),
    ])
    for series in history.drift {
      features.append([
        series.part, series.figure, "\(series.points.count)",
        series.points.last.map { Figures.fixed($0.value, 4) } ?? "-",
        series.points.map(\.value).max().map { Figures.fixed($0, 4) } ?? "-",
        series.points.last?.threshold.map { Figures.fixed($0, 4) } ?? "-",
        "\(series.points.count(where: \.isAlarm))",
      ])
    }
    var quality = Table([("metric", .left), ("segment", .left), ("last", .right), ("interval", .left)])
    for series in history.performance {
      guard let last = series.points.last else { continue }
      let interval = "\(Figures.fixed(last.lower ?? .nan, 4)) to \(Figures.fixed(last.upper ?? .nan, 4))"
      quality.append([series.figure, series.part, Figures.fixed(last.value, 4), interval])
    }
    let parts = [
      history.drift.isEmpty ? "there is no window yet\n" : features.text,
      history.lives.isEmpty ? "no alarms\n" : DriftAlarmsCommand.text(history.lives),
    ]
    return (history.performance.isEmpty ? parts : parts + [quality.text]).joined(separator: "\n")
  }
}
