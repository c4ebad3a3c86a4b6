package import Core
internal import Inference
internal import Storage

/// Makes a model of a dataset: on the caller's thread, from the beginning or from what a run that died has left.
///
/// The folder belongs to this job alone. A run in a folder that an earlier run of the same specification and dataset
/// has left goes on where that one stopped, and ends with the same bits; a finished one is answered from the folder.
package struct TrainingJob: Sendable {
  package let specification: TrainingSpecification
  package let dataset: TrainingDataset
  package let workFolder: String

  /// What the trainer tells while it works.
  package enum Progress: Sendable {
    /// Rounds or iterations that are done, of how many, and what the training says of them.
    case step(Int, of: Int, note: String)
    /// A line of a command.
    case log(String)
    /// A command failed and is started again.
    case retry(attempt: Int, reason: String)
  }

  /// - Parameter workFolder: is made when it is not there.
  package init(specification: TrainingSpecification, dataset: TrainingDataset, workFolder: String) {
    self.specification = specification
    self.dataset = dataset
    self.workFolder = workFolder
  }

  /// - Parameters:
  ///   - isCancelled: asked again and again; true ends the training with `TRAINING_CANCELLED`.
  ///   - progress: called on the same thread.
  /// - Throws: `TRAINING_CANCELLED`, `TRAINING_TIMEOUT`, `TRAINING_MEMORY`, `TRAINING_DATA`, `TRAINING_PARAMETER`,
  ///   `TRAINING_BUSY`, `TRAINING_FILE`, `TRAINER_FAILED`, `TRAINER_OUTPUT`, and what reading the dataset throws.
  package func run(
    isCancelled: @escaping () -> Bool = { false }, progress: @escaping (Progress) -> Void = { _ in }
  ) throws(HeadraceError) -> TrainedModel {
    let start = WallClock.monotonic.nowMilliseconds
    let timeout = specification.budget.timeoutMilliseconds
    let watch = TrainingWatch(
      isCancelled: isCancelled, deadlineMilliseconds: start + max(0, min(timeout, 1 << 40)),
      timeoutMilliseconds: timeout, place: workFolder, progress: progress)
    let folder = try WorkFolder(workFolder, isCancelled: isCancelled)
    let revision = try codeRevision()
    try folder.claim(fingerprint(revision))
    if let finished = try FinishedTraining.read(folder) {
      try folder.removeUnneeded()
      return finished
    }
    let output = try train(folder, watch)
    TrainingKillPoint.pass(.modelBefore)
    let format = try check(output.bytes)
    try folder.write("model", output.bytes)
    TrainingKillPoint.pass(.modelAfter)
    let model = TrainedModel(
      path: folder.place("model"), contentHash: ContentHash.sha256(output.bytes), sizeBytes: output.bytes.count,
      format: format, claimedMetrics: output.claims,
      seconds: Double(WallClock.monotonic.nowMilliseconds - start) / 1_000, codeRevision: revision, log: output.log,
      attempts: output.attempts)
    try FinishedTraining.write(model, folder)
    TrainingKillPoint.pass(.resultAfter)
    try folder.removeUnneeded()
    return model
  }

  /// What a trainer has made.
  struct Output {
    var bytes: [UInt8]
    var claims: [TrainedModel.Claim]
    var log: [String] = []
    var attempts = 1
  }

  private func train(_ folder: WorkFolder, _ watch: TrainingWatch) throws(HeadraceError) -> Output {
    switch specification.trainer {
    case .xgboost(let settings):
      let trainer = XGBoostTrainer(
        specification: specification, settings: settings, dataset: dataset, folder: folder, watch: watch)
      let (bytes, claims) = try trainer.train()
      return Output(bytes: bytes, claims: claims)
    case .logistic(let settings):
      let trainer = LogisticTrainer(specification: specification, settings: settings, dataset: dataset, watch: watch)
      let (bytes, claims) = try trainer.train()
      return Output(bytes: bytes, claims: claims)
    case .command(let words):
      return try CommandTrainer(
        specification: specification, words: words, dataset: dataset, folder: folder, watch: watch
      ).train()
    }
  }

  /// A model that Headrace cannot score is none, whatever its trainer says.
  ///
  /// - Returns: its format.
  private func check(_ bytes: [UInt8]) throws(HeadraceError) -> String {
    do throws(HeadraceError) {
      let model = try Model(bytes, place: "model")
      _ = try FeatureMapping(model, dataset)
      return model.format.rawValue
    } catch {
      throw HeadraceError(
        .user, "TRAINER_OUTPUT", "the trainer's model is none: \(error.message)", place: error.place ?? workFolder,
        remedy: error.remedy)
    }
  }

  private func codeRevision() throws(HeadraceError) -> String {
    switch specification.trainer {
    case .xgboost: "libxgboost \(XGBoostLibrary.version)"
    case .logistic: "headrace-logistic 1"
    case .command(let words): try CommandRevision.of(words)
    }
  }

  private func fingerprint(_ revision: String) -> String {
    var writer = JSONWriter()
    writer.object { json in
      json.member("dataset", dataset.manifestHash)
      json.member("code", revision)
      for parameter in specification.parameters { json.member(parameter.name, parameter.value) }
    }
    return ContentHash.sha256(writer.bytes)
  }
}
