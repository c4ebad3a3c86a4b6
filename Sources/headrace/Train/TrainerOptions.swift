internal import ArgumentParser
internal import Core
internal import Training

/// What is trained, and how much it may take.
struct TrainerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A column of the dataset, or an expression: 'arr_delay > 15'.", valueName: "label"))
  var label: String
  @Option(help: ArgumentHelp("xgboost or logistic. (default: xgboost)", valueName: "name")) var trainer: String?
  @Option(
    parsing: .remaining,
    help: ArgumentHelp("A program that trains, with its arguments: everything behind it.", valueName: "word …"))
  var command: [String] = []
  @Option(help: ArgumentHelp("binary, multiclass or regression.", valueName: "objective")) var objective = "binary"
  @Option(help: ArgumentHelp("What chance is drawn from.", valueName: "number")) var seed: UInt64 = 1
  @Option(help: ArgumentHelp("Rounds of xgboost, at most.", valueName: "n")) var rounds: Int?
  @Option(
    name: .customLong("set"), help: ArgumentHelp("A setting of the trainer; may come often.", valueName: "key=value"))
  var settings: [String] = []
  @Option(
    help: ArgumentHelp(
      "The share of the training rows that early stopping looks at, the last ones.", valueName: "share"))
  var validation = 0.2
  @Option(help: ArgumentHelp("Ends it after so long.", valueName: "duration")) var timeout = "1h"
  @Option(help: ArgumentHelp("Of the matrix; of a command, of each of its processes.", valueName: "size"))
  var memory = "8GiB"
  @Option(help: ArgumentHelp("What a command may write.", valueName: "size")) var disk = "1GiB"
  @Option(help: ArgumentHelp("How often a command that failed is started again.", valueName: "n")) var retries = 0

  func validate() throws {
    guard trainer == nil || command.isEmpty else { throw ValidationError("one of --trainer and --command is enough") }
    if let trainer, !["xgboost", "logistic"].contains(trainer) {
      throw ValidationError("--trainer \(trainer): expected xgboost or logistic, or --command")
    }
    guard TrainingObjective(rawValue: objective) != nil else {
      throw ValidationError("--objective \(objective): expected binary, multiclass or regression")
    }
    guard (0..<1).contains(validation) else {
      throw ValidationError("--validation \(validation): expected a share from 0 to below 1")
    }
    guard let milliseconds = Quantity.milliseconds(timeout), milliseconds > 0 else {
      throw ValidationError("--timeout \(timeout): expected a duration such as 30m")
    }
    for (flag, text) in [("--memory", memory), ("--disk", disk)] where (Quantity.bytes(text) ?? 0) < 1 << 20 {
      throw ValidationError("\(flag) \(text): expected a size of at least 1MiB, such as 4GiB")
    }
    guard (0...100).contains(retries) else { throw ValidationError("--retries \(retries): expected 0 to 100") }
    for setting in settings where !setting.contains("=") {
      throw ValidationError("--set \(setting): expected key=value, such as max_depth=8")
    }
    guard command.isEmpty || (settings.isEmpty && rounds == nil) else {
      throw ValidationError("--set and --rounds are of trainers that are built in: give a command its own arguments")
    }
  }

  func specification() throws(HeadraceError) -> TrainingSpecification {
    var pairs: [(name: String, value: String)] = []
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      pairs.append((parts.first ?? "", parts.last ?? ""))
    }
    if let rounds { pairs.append(("rounds", "\(rounds)")) }
    let trainer: TrainingSpecification.Trainer
    if !command.isEmpty {
      trainer = .command(command)
    } else if self.trainer == "logistic" {
      trainer = .logistic(try LogisticParameters(settings: pairs))
    } else {
      trainer = .xgboost(try XGBoostParameters(settings: pairs))
    }
    return TrainingSpecification(
      trainer: trainer, label: label, objective: TrainingObjective(rawValue: objective) ?? .binary, seed: seed,
      validationShare: validation,
      budget: TrainingBudget(
        timeoutMilliseconds: Quantity.milliseconds(timeout) ?? 0,
        memoryBytes: Int(clamping: Quantity.bytes(memory) ?? 0),
        outputBytes: Int(clamping: Quantity.bytes(disk) ?? 0)),
      retries: retries)
  }
}

/// How the model is measured.
struct EvaluationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The model to beat. (default: the champion of --model)", valueName: "name[@alias|:version]"))
  var champion: String?
  @Option(
    name: .customLong("slice"),
    help: ArgumentHelp("Rows to look at by themselves: a column, or a condition; may come often.", valueName: "slice"))
  var slices: [String] = []
  @Option(help: ArgumentHelp("From which probability on it is a yes.", valueName: "p")) var threshold = 0.5
  @Option(
    help: ArgumentHelp(
      "Columns that name the entity, for the checks of leaks. (default: text columns of the labels)",
      valueName: "column,…"))
  var entity: String?

  func validate() throws {
    guard threshold > 0, threshold < 1 else { throw ValidationError("--threshold \(threshold): expected 0 to 1") }
  }

  func options() throws -> ModelEvaluation.Options {
    var options = ModelEvaluation.Options()
    options.slices = slices
    options.threshold = threshold
    options.entityColumns = entity.map { $0.split(separator: ",").map(String.init) }
    return options
  }
}
