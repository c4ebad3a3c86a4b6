internal import ArgumentParser
internal import Core
internal import Kafka
internal import Storage

struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Score the rows of a Delta table into another one.",
    discussion: """
      Feature columns are found by the names in the model's file, or by --features where it has none. Each version of \
      the input is scored exactly once: a second run finds nothing to do, and a later one scores the rows that came \
      since. When rows of the input were changed or removed, --overwrite makes all predictions anew. Columns of the \
      output are those of --columns, the scores, and `model_version`.

      A model is NAME, which is its champion or its newest version, NAME@ALIAS or NAME:VERSION of --data, or a --file.
      """)

  @Option(help: ArgumentHelp("Which model.", valueName: "name[@alias|:version]")) var model: String?
  @Option(help: ArgumentHelp("A model file, in place of --model.", valueName: "file")) var file: String?
  @OptionGroup var place: TableOptions
  @Option(help: ArgumentHelp("The table to read, such as features/by_user.", valueName: "table")) var table: String
  @Option(help: ArgumentHelp("The table to write; made when missing.", valueName: "table")) var into: String
  @Option(
    help: ArgumentHelp("Columns to take over, separated by commas, or none. (default: all)", valueName: "column,…"))
  var columns: String?
  @Option(
    help: ArgumentHelp(
      "The model's feature columns, in its order, separated by commas. (default: as its file names them)",
      valueName: "column,…"))
  var features: String?
  @Option(help: ArgumentHelp("What the column of scores is called; several get _0, _1, … behind.", valueName: "name"))
  var score = "score"
  @OptionGroup var weights: WeightsOptions
  @Flag(help: "Score all rows anew, in place of the output's rows.") var overwrite = false
  @Option(help: ArgumentHelp("Threads that compute. (default: one for each processor)", valueName: "n"))
  var threads: Int?
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard (model == nil) != (file == nil) else {
      throw ValidationError("one of --model NAME and --file FILE is needed")
    }
    if model != nil, place.data == nil { throw ValidationError("--data DIR is missing: the folder of the models") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads \(threads): expected 1 to 256") }
    guard table != into else { throw ValidationError("--into \(into): expected another table than --table") }
    guard !score.isEmpty else { throw ValidationError("--score: expected a name") }
  }

  func run() async throws {
    let scorer =
      try model.map { try ScoringModel($0, dataDirectory: place.data ?? "", weights) }
      ?? ScoringModel(file: file ?? "", weights)
    WeightsOptions.tell(scorer.compiled)
    let job = TableScoring(
      model: scorer, store: try place.store(), input: table, output: into, columns: columns.map(Self.names),
      features: features.map(Self.names), scoreName: score, overwrites: overwrite,
      threadCount: threads ?? ParallelWork.processorCount)
    let report = try await BlockingThread(name: "score").run { try job.run() }
    switch output {
    case .json: try StandardOutput.writeAll(json(report, scorer))
    case .table: try StandardOutput.writeLine(text(report, scorer))
    }
  }

  private static func names(_ text: String) -> [String] {
    text == "none" ? [] : text.split(separator: ",").map(String.init)
  }

  private func text(_ report: TableScoring.Report, _ model: ScoringModel) -> String {
    guard let written = report.outputVersion else {
      return "nothing to do: version \(report.inputVersion) of \(table) is scored already"
    }
    let rate = report.milliseconds > 0 ? Double(report.rowCount) * 1_000 / Double(report.milliseconds) : 0
    return
      "\(Figures.grouped(report.rowCount)) rows of \(table) version \(report.inputVersion) scored by \(model.label) "
      + "in \(Figures.duration(milliseconds: report.milliseconds)) (\(Figures.short(rate)) rows/s): "
      + "\(into) version \(written)"
  }

  private func json(_ report: TableScoring.Report, _ model: ScoringModel) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("model", model.name)
      json.member("model_version", model.version)
      json.member("input", table)
      json.member("input_version", report.inputVersion)
      json.member("output", into)
      json.key("output_version")
      if let version = report.outputVersion { json.number(version) } else { json.null() }
      json.member("rows", report.rowCount)
      json.member("milliseconds", report.milliseconds)
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
