/// What a model is to predict.
package enum TrainingObjective: String, Sendable, CaseIterable {
  /// Labels 0 and 1; the model gives a probability.
  case binary
  /// Labels 0, 1, … `classCount - 1`; the model gives a probability for each.
  case multiclass
  /// Any finite number.
  case regression
}

/// What is trained, on what, and how much it may take. A plain value: the same specification, dataset and seed give the
/// same file for the trainers that are built in.
package struct TrainingSpecification: Sendable, Equatable {
  package enum Trainer: Sendable, Equatable {
    case xgboost(XGBoostParameters)
    case logistic(LogisticParameters)
    /// A program and its arguments, with the placeholders of `TrainerCommand`; no shell.
    case command([String])

    /// `xgboost`, `logistic`, `command`.
    package var name: String {
      switch self {
      case .xgboost: "xgboost"
      case .logistic: "logistic"
      case .command: "command"
      }
    }
  }

  package var trainer: Trainer
  /// A column of the dataset, or an expression over its columns: `arr_delay > 15`.
  package var label: String
  package var objective: TrainingObjective
  package var seed: UInt64
  /// The share of the training rows that early stopping looks at: the last ones by time, or entities of their own where
  /// the dataset is split by entity. 0: no such rows, and no early stopping.
  package var validationShare: Double
  package var budget: TrainingBudget
  /// How often a command is started again after it failed; trainers that are built in do not fail by chance.
  package var retries: Int
  /// Before the first retry; doubled for each one after it.
  package var backoffMilliseconds: Int64

  package init(
    trainer: Trainer, label: String, objective: TrainingObjective = .binary, seed: UInt64 = 1,
    validationShare: Double = 0.2, budget: TrainingBudget = TrainingBudget(), retries: Int = 0,
    backoffMilliseconds: Int64 = 1_000
  ) {
    self.trainer = trainer
    self.label = label
    self.objective = objective
    self.seed = seed
    self.validationShare = validationShare
    self.budget = budget
    self.retries = retries
    self.backoffMilliseconds = backoffMilliseconds
  }

  /// What a run's record says of it, in an order that does not change.
  package var parameters: [(name: String, value: String)] {
    var parameters: [(name: String, value: String)] = [
      ("trainer", trainer.name), ("label", label), ("objective", objective.rawValue), ("seed", "\(seed)"),
      ("validation_share", "\(validationShare)"),
    ]
    switch trainer {
    case .xgboost(let settings): parameters += settings.list
    case .logistic(let settings): parameters += settings.list
    case .command(let words): parameters.append(("command", words.joined(separator: " ")))
    }
    return parameters
  }
}

/// How much a training may take.
package struct TrainingBudget: Sendable, Equatable {
  /// From the start to the model's file, retries included.
  package var timeoutMilliseconds: Int64
  /// Of the matrix and what the library makes of it; of a command, the address space of each of its processes.
  package var memoryBytes: Int
  /// Of all that a command leaves in its output folder, and of each file that it writes.
  package var outputBytes: Int

  package init(
    timeoutMilliseconds: Int64 = 3_600_000, memoryBytes: Int = 8 << 30, outputBytes: Int = 1 << 30
  ) {
    self.timeoutMilliseconds = timeoutMilliseconds
    self.memoryBytes = memoryBytes
    self.outputBytes = outputBytes
  }
}
