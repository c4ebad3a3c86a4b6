internal import ArgumentParser
internal import Core
internal import Kafka
internal import OfflineStore
internal import Registry
internal import Training

struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a model on a dataset, and measure it on the rows that it has not seen.",
    discussion: """
      Trainers that are built in are `xgboost` and `logistic`; the same dataset, settings and seed give the same file. \
      A training that was killed goes on in its --work folder and ends with the same bits.

      With --command any program trains. It may write {dataset}, {manifest}, {output}, {seed}, {objective}, \
      {timeout_seconds} and {memory_bytes} into its arguments, and finds the same in HEADRACE_DATASET and so on. It \
      sees the rows that train and validate, never those that test, and reports on its standard output by lines of \
      JSON. It runs under limits of time, memory and disk, in an environment of PATH, HOME, LANG and what is said \
      here, and nothing of it survives its end.

      Whatever the trainer says of its model, Headrace scores it on the test split, beside the champion and a baseline \
      that knows nothing, and looks for leaks: rows that are on both sides, and features that are too good.

      Exit codes: 0 done; 1 failed, or not added because of what was found; 2 wrong usage.
      """)

  @OptionGroup var source: TrainingSource
  @OptionGroup var trainer: TrainerOptions
  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var actor: ActorOptions
  @Option(help: ArgumentHelp("The model's name: its champion is the one to beat.", valueName: "name"))
  var model: String?
  @Flag(help: "Make it the next version of --model in --data.") var add = false
  @Option(help: ArgumentHelp("Let this alias stand for the version, such as challenger.", valueName: "name"))
  var alias: String?
  @Flag(help: "Add it in spite of what was found.") var acceptFindings = false
  @Option(help: ArgumentHelp("Copy the model's file there.", valueName: "file")) var save: String?
  @Option(
    help: ArgumentHelp(
      "Where it works, and goes on after a kill. (default: training/NAME in --data)", valueName: "folder"))
  var work: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    if add, model == nil || source.place.data == nil {
      throw ValidationError("--add needs --model NAME and --data DIR: which model, and where")
    }
    if let model, !RegistryLimits.isModelName(model) {
      throw ValidationError("--model \(model): expected letters, digits, `_`, `-` and `.`")
    }
    if let alias {
      guard add else { throw ValidationError("--alias goes with --add") }
      guard RegistryLimits.isAliasName(alias) else {
        throw ValidationError("--alias \(alias): expected a name that is no number")
      }
    }
    guard work != nil || source.place.data != nil else {
      throw ValidationError("--work DIR or --data DIR is missing: where it works")
    }
  }

  func run() async throws {
    let specification = try trainer.specification()
    let stop = try TerminationSignal.watch()
    let work = TrainingWork(
      specification: specification, source: source, options: try evaluation.options(), model: model,
      workFolder: self.work,
      champion: evaluation.champion, stop: stop)
    let result = try await BlockingThread(name: "train").run { try work.run() }
    if let save { try NewFile.replace(save, with: result.bytes) }
    let added = try add ? self.added(result) : nil
    switch output {
    case .json: try StandardOutput.writeAll(result.json(added))
    case .table: try StandardOutput.writeAll(Array(result.text(added).utf8))
    }
    if add, added == nil { throw Ended(status: .failed) }
  }

  /// - Returns: nil when something was found that speaks against it.
  private func added(_ result: TrainingResult) throws -> AddedVersion? {
    let refusals = result.report.findings.filter { $0.severity == .error }
    if !refusals.isEmpty, !acceptFindings {
      for finding in refusals { StandardError.write("not added: \(finding.subject): \(finding.message)") }
      return nil
    }
    return try AddedVersion(result, model: model ?? "", alias: alias, data: source.place.data ?? "", actor: actor.actor)
  }
}

/// Which dataset, and what of it is the label.
struct TrainingSource: ParsableArguments {
  @Option(help: ArgumentHelp("NAME, NAME@VERSION, or the folder that it was written to.", valueName: "dataset"))
  var dataset: String
  @OptionGroup var place: TableOptions

  /// A folder with a manifest is one; anything else is a name.
  func find() throws -> (DatasetCatalog, DatasetCatalog.Entry) {
    if !place.isGiven || Folder.exists(dataset) { return try DatasetReference.entry(inFolder: dataset) }
    return try DatasetReference.find(dataset.split(separator: "@", maxSplits: 1).joined(separator: "/"), place)
  }
}
