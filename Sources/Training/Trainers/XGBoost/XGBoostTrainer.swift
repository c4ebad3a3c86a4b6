internal import Core

/// Gradient boosted trees by Debian's libxgboost.
///
/// The randomness of a round is seeded by its number, and after each checkpoint the booster is made anew from the bytes
/// that were saved, whether or not anybody died: so a run that goes on from a checkpoint is the run that wrote it.
struct XGBoostTrainer {
  let specification: TrainingSpecification
  let settings: XGBoostParameters
  let dataset: TrainingDataset
  let folder: WorkFolder
  let watch: TrainingWatch

  /// Our float, the library's entry with its column, and two bytes of a histogram's bin, for each value.
  private static let bytesOfValue = 4 + 8 + 2
  private static let checkpointBytesMax = 2 << 30

  /// - Returns: the model as UBJSON.
  func train() throws(HeadraceError) -> (bytes: [UInt8], claims: [TrainedModel.Claim]) {
    var rows: FeatureMatrix? = try matrix(.train)
    var held: FeatureMatrix? = try matrix(.validation)
    guard let matrix = rows, matrix.rowCount > 0 else { throw dataset.nothingToTrainOn }
    let parameters = try parameters(LabelSummary(matrix.labels, dataset, also: held?.labels ?? []))
    let train = try XGBoostMatrix(matrix, threadCount: settings.threadCount)
    rows = nil
    let validation: XGBoostMatrix? = try held.flatMap { (held) throws(HeadraceError) in
      held.rowCount > 0 ? try XGBoostMatrix(held, threadCount: settings.threadCount) : nil
    }
    held = nil
    var state = try resumed()
    var booster = try booster(train, validation, parameters, state)
    while state.round < settings.rounds, !isStalled(state, validation) {
      try watch.check()
      try booster.update(round: state.round, train)
      state.round += 1
      if let validation {
        let metric = try booster.evaluate(round: state.round - 1, validation)
        if metric < state.bestMetric { (state.bestRounds, state.bestMetric) = (state.round, metric) }
        watch.progress(.step(state.round, of: settings.rounds, note: "validation \(metric)"))
      } else {
        watch.progress(.step(state.round, of: settings.rounds, note: ""))
      }
      if state.round % settings.checkpointRounds == 0 {
        try save(&state, booster)
        booster = try self.booster(train, validation, parameters, state)
      }
    }
    let rounds = validation == nil || settings.earlyStoppingRounds == 0 ? state.round : state.bestRounds
    let final = rounds == state.round ? booster : try booster.firstRounds(rounds)
    try final.nameFeatures(dataset.features)
    let claims = validation == nil ? [] : [TrainedModel.Claim(name: "validation_\(metricName)", value: state.bestMetric)]
    return (try final.save(), claims + [.init(name: "rounds", value: Double(rounds))])
  }

  private func matrix(_ part: TrainingPart) throws(HeadraceError) -> FeatureMatrix {
    try FeatureMatrix(
      dataset, part, bytesOfValue: Self.bytesOfValue, memoryBytes: specification.budget.memoryBytes,
      isCancelled: watch.isCancelled)
  }

  private func isStalled(_ state: XGBoostCheckpoint, _ validation: XGBoostMatrix?) -> Bool {
    validation != nil && settings.earlyStoppingRounds > 0 && state.bestRounds > 0
      && state.round - state.bestRounds >= settings.earlyStoppingRounds
  }

  private func resumed() throws(HeadraceError) -> XGBoostCheckpoint {
    guard let bytes = try folder.read("checkpoint", bytesMax: Self.checkpointBytesMax),
      let checkpoint = XGBoostCheckpoint(bytes)
    else { return XGBoostCheckpoint(round: 0, model: []) }
    return checkpoint
  }

  private func booster(
    _ train: XGBoostMatrix, _ validation: XGBoostMatrix?, _ parameters: [(name: String, value: String)],
    _ state: XGBoostCheckpoint
  ) throws(HeadraceError) -> XGBoostBooster {
    try XGBoostBooster(
      [train] + (validation.map { [$0] } ?? []), parameters: parameters, model: state.round == 0 ? nil : state.model)
  }

  private func save(_ state: inout XGBoostCheckpoint, _ booster: XGBoostBooster) throws(HeadraceError) {
    TrainingKillPoint.pass(.checkpointBefore)
    state.model = try booster.save()
    try folder.write("checkpoint", state.bytes)
    TrainingKillPoint.pass(.checkpointAfter)
  }

  private var metricName: String {
    switch specification.objective {
    case .binary, .multiclass: "log_loss"
    case .regression: "rmse"
    }
  }

  /// In the library's words.
  private func parameters(_ labels: LabelSummary) throws(HeadraceError) -> [(name: String, value: String)] {
    var parameters = [
      ("booster", "gbtree"), ("tree_method", "hist"), ("verbosity", "0"), ("validate_parameters", "1"),
      ("nthread", "\(settings.threadCount)"), ("seed", "\(specification.seed & 0x7fff_ffff)"),
      ("seed_per_iteration", "1"), ("eta", "\(settings.learningRate)"), ("max_depth", "\(settings.maximumDepth)"),
      ("min_child_weight", "\(settings.minimumChildWeight)"), ("gamma", "\(settings.minimumSplitLoss)"),
      ("subsample", "\(settings.subsample)"), ("colsample_bytree", "\(settings.columnSample)"),
      ("lambda", "\(settings.l2)"), ("alpha", "\(settings.l1)"), ("max_bin", "\(settings.maximumBins)"),
    ]
    switch specification.objective {
    case .binary:
      // Trees begin at the base rate.
      parameters += [
        ("objective", "binary:logistic"), ("eval_metric", "logloss"), ("base_score", "\(Float(labels.mean))"),
      ]
    case .multiclass:
      parameters += [
        ("objective", "multi:softprob"), ("eval_metric", "mlogloss"), ("num_class", "\(labels.classCount)"),
      ]
    case .regression:
      parameters += [
        ("objective", "reg:squarederror"), ("eval_metric", "rmse"), ("base_score", "\(Float(labels.mean))"),
      ]
    }
    return parameters.map { (name: $0.0, value: $0.1) }
  }
}
