package import Core

/// Settings of the trainer `xgboost`, under the library's names. Trees are grown by histograms (`tree_method=hist`).
package struct XGBoostParameters: Sendable, Equatable {
  /// Trees for each class, at most.
  package var rounds = 200
  package var learningRate = 0.1
  package var maximumDepth = 6
  package var minimumChildWeight = 1.0
  package var minimumSplitLoss = 0.0
  /// Shares of rows and columns that each tree sees.
  package var subsample = 1.0
  package var columnSample = 1.0
  package var l2 = 1.0
  package var l1 = 0.0
  package var maximumBins = 256
  /// Ends when the validation rows have seen no better round for so many; 0: never.
  package var earlyStoppingRounds = 20
  /// The state is saved, and taken up again from what was saved, each time after so many rounds. So a run that was
  /// killed and one that was not compute the same; the number is part of what decides the bits.
  package var checkpointRounds = 50
  /// Sums of gradients are added in an order that depends on it: it decides the bits, and never comes from the machine.
  package var threadCount = 1

  package init() {}

  /// - Parameter settings: of a topology or of flags; names are those of `list`.
  /// - Throws: `TRAINING_PARAMETER`.
  package init(settings: [(name: String, value: String)]) throws(HeadraceError) {
    var settings = try TrainerSettings(settings, trainer: "xgboost")
    try settings.integer("rounds", 1...100_000, into: &rounds)
    try settings.number("learning_rate", 1e-6...10, into: &learningRate)
    try settings.integer("max_depth", 1...20, into: &maximumDepth)
    try settings.number("min_child_weight", 0...1e12, into: &minimumChildWeight)
    try settings.number("gamma", 0...1e12, into: &minimumSplitLoss)
    try settings.number("subsample", 1e-3...1, into: &subsample)
    try settings.number("colsample_bytree", 1e-3...1, into: &columnSample)
    try settings.number("lambda", 0...1e12, into: &l2)
    try settings.number("alpha", 0...1e12, into: &l1)
    try settings.integer("max_bin", 2...4_096, into: &maximumBins)
    try settings.integer("early_stopping_rounds", 0...100_000, into: &earlyStoppingRounds)
    try settings.integer("checkpoint_rounds", 1...100_000, into: &checkpointRounds)
    try settings.integer("nthread", 1...256, into: &threadCount)
    try settings.finish()
  }

  var list: [(name: String, value: String)] {
    [
      ("rounds", "\(rounds)"), ("learning_rate", "\(learningRate)"), ("max_depth", "\(maximumDepth)"),
      ("min_child_weight", "\(minimumChildWeight)"), ("gamma", "\(minimumSplitLoss)"), ("subsample", "\(subsample)"),
      ("colsample_bytree", "\(columnSample)"), ("lambda", "\(l2)"), ("alpha", "\(l1)"), ("max_bin", "\(maximumBins)"),
      ("early_stopping_rounds", "\(earlyStoppingRounds)"), ("checkpoint_rounds", "\(checkpointRounds)"),
      ("nthread", "\(threadCount)"),
    ]
  }
}
