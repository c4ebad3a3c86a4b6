internal import Columns
package import Core
package import Inference
internal import Storage

/// Scores models on the rows that no trainer has seen, and says what came of it.
package struct ModelEvaluation: Sendable {
  /// A model to be measured.
  package struct Subject: Sendable {
    package var name: String
    package var role: EvaluationReport.Role
    /// Of the model's file.
    package var bytes: [UInt8]
    package var claims: [TrainedModel.Claim]

    package init(name: String, role: EvaluationReport.Role, bytes: [UInt8], claims: [TrainedModel.Claim] = []) {
      self.name = name
      self.role = role
      self.bytes = bytes
      self.claims = claims
    }
  }

  package struct Options: Sendable {
    /// Columns, each value of which is a slice (the most frequent 20), and conditions: `carrier`, `distance > 1500`.
    package var slices: [String] = []
    package var confidence = 0.95
    /// From which score on a probability counts as a yes.
    package var threshold = 0.5
    /// How the models keep the weights of dense layers: as they will score.
    package var weights = CompileOptions.Weights.float32
    /// Whether the leakage checks run.
    package var checksLeakage = true
    /// Columns of the dataset that name the entity; nil: its text columns beside features, time and label.
    package var entityColumns: [String]?

    package init() {}
  }

  private let dataset: TrainingDataset
  private let options: Options
  private let models: [MeasuredModel]
  private let width: Int

  /// Slices of fewer rows say nothing.
  private static let sliceRowsMin = 30

  /// The baseline (base rate or mean of the training rows) is always the last one among the models of the report.
  ///
  /// - Throws: `EVALUATION_MODEL` when a model does not fit the dataset; `TRAINING_DATA` without rows to test on;
  ///   `SLICE_INVALID`; what `Inference` throws.
  package static func evaluate(
    _ models: [Subject], on dataset: TrainingDataset, options: Options = Options()
  ) throws(HeadraceError) -> EvaluationReport {
    var measured: [MeasuredModel] = []
    for model in models { measured.append(try MeasuredModel(model, dataset, options.weights)) }
    return try ModelEvaluation(dataset: dataset, options: options, models: measured).report()
  }

  private init(dataset: TrainingDataset, options: Options, models: [MeasuredModel]) throws(HeadraceError) {
    self.dataset = dataset
    self.options = options
    self.models = models
    guard dataset.objective == .multiclass else {
      width = 1
      return
    }
    width = models.first?.compiled.model.outputCount ?? 1
    if let other = models.first(where: { $0.compiled.model.outputCount != width }) {
      throw HeadraceError(
        .user, "EVALUATION_MODEL",
        "\(other.compiled.model.outputCount) classes, the first model has \(width)", place: other.subject.name,
        remedy: "compare models of the same classes")
    }
  }

  private func report() throws(HeadraceError) -> EvaluationReport {
    let baseline = try Baseline(dataset, width: width)
    var slices = try SliceColumns(options.slices, dataset)
    let (rows, counts) = try scored(baseline, &slices)
    guard !rows.labels.isEmpty else {
      throw HeadraceError(
        .user, "TRAINING_DATA", "no row that tests has a label", place: dataset.place,
        remedy: "build the dataset with a split, from labels of a longer time")
    }
    for (index, model) in models.enumerated() { try check(rows.scores[index], model) }
    let subjects = models.map(\.subject) + [baseline.subject]
    var report = EvaluationReport(
      dataset: dataset.place, manifestHash: dataset.manifestHash, label: dataset.label, objective: dataset.objective,
      rowCount: rows.labels.count, trainingRowCount: baseline.rowCount,
      labelMean: rows.labels.reduce(0.0) { $0 + Double($1) } / Double(rows.labels.count),
      confidence: options.confidence, threshold: options.threshold,
      models: figures(rows, subjects), differences: differences(rows, subjects), slices: [], findings: [])
    if counts.unlabelled > 0 {
      report.findings.append(
        .init(
          .labels, .information, subject: dataset.label,
          message: "\(counts.unlabelled) of \(counts.rows) rows that test have no label: they are left out"))
    }
    for slice in slices.slices() where slice.rows.count >= Self.sliceRowsMin {
      let part = rows.rows(slice.rows)
      report.slices.append(
        .init(
          name: slice.name, rowCount: slice.rows.count, models: figures(part, subjects),
          differences: differences(part, subjects)))
    }
    report.findings += ClaimCheck.findings(report) + SliceCheck.findings(report)
    if options.checksLeakage { report.findings += try LeakageCheck.findings(dataset, options.entityColumns) }
    return report
  }

  /// One pass over the rows that test: features are scored and forgotten.
  private func scored(
    _ baseline: Baseline, _ slices: inout SliceColumns
  ) throws(HeadraceError) -> (ScoredRows, RowCounts) {
    var rows = ScoredRows(scores: Array(repeating: [], count: models.count + 1), width: width)
    let scorers = models.map { ScoringPass($0, featureCount: dataset.features.count) }
    let counts = try dataset.forEachRows(.test, extras: slices.columns) { (batch) throws(HeadraceError) in
      rows.labels += batch.labels
      for (index, scorer) in scorers.enumerated() { scorer.score(batch, width: width, into: &rows.scores[index]) }
      for _ in 0..<batch.count { rows.scores[models.count] += baseline.scores }
      slices.append(batch.extras)
    }
    return (rows, counts)
  }

  /// Probabilities have to be some, and numbers numbers.
  private func check(_ scores: [Double], _ model: MeasuredModel) throws(HeadraceError) {
    let bad = scores.count { dataset.objective == .regression ? !$0.isFinite : !($0 >= 0 && $0 <= 1) }
    guard bad > 0 else { return }
    throw HeadraceError(
      .user, "EVALUATION_MODEL",
      "\(bad) of \(scores.count) scores are no \(dataset.objective == .regression ? "numbers" : "probabilities")",
      place: model.subject.name, remedy: "train it with the objective \(dataset.objective.rawValue)")
  }

  private func figures(_ rows: ScoredRows, _ subjects: [Subject]) -> [EvaluationReport.ModelFigures] {
    let figures = Figures(
      objective: dataset.objective, confidence: options.confidence, threshold: options.threshold, width: width)
    return subjects.enumerated().map { index, subject in
      .init(
        name: subject.name, role: subject.role,
        contentHash: subject.bytes.isEmpty ? nil : ContentHash.sha256(subject.bytes),
        metrics: figures.metrics(rows.labels, rows.scores[index]), claims: subject.claims)
    }
  }

  /// The challenger, or else the first model, minus each other one.
  private func differences(_ rows: ScoredRows, _ subjects: [Subject]) -> [EvaluationReport.Difference] {
    let comparison = Comparison(
      objective: dataset.objective, confidence: options.confidence, threshold: options.threshold, width: width)
    let own = subjects.firstIndex { $0.role == .challenger } ?? 0
    return subjects.indices.filter { $0 != own }.flatMap { other in
      comparison.differences(rows.labels, rows.scores[own], minus: rows.scores[other], of: subjects[other])
    }
  }
}

extension ScoredRows {
  /// Some of the rows alone.
  func rows(_ chosen: [Int]) -> ScoredRows {
    var part = ScoredRows(scores: [], width: width)
    part.labels = chosen.map { labels[$0] }
    part.scores = scores.map { own in chosen.flatMap { own[$0 * width..<($0 + 1) * width] } }
    return part
  }
}
