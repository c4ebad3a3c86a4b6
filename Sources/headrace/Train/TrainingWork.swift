internal import Core
internal import OfflineStore
internal import Registry
internal import Synchronization
internal import Training

/// Reads the dataset, trains, and measures: the work of `headrace train`, on a thread that may block.
struct TrainingWork: Sendable {
  let specification: TrainingSpecification
  let source: TrainingSource
  let options: ModelEvaluation.Options
  let model: String?
  let workFolder: String?
  let champion: String?
  let stop: StopRequest

  func run() throws -> TrainingResult {
    let (catalog, entry) = try source.find()
    let dataset = try TrainingDataset(catalog, entry, specification: specification)
    let champion = try championModel()
    let folder = workFolder ?? "\(source.place.data ?? ".")/training/\(model ?? entry.name)"
    let job = TrainingJob(specification: specification, dataset: dataset, workFolder: folder)
    let line = ProgressText()
    let trained: TrainedModel
    do throws(HeadraceError) {
      trained = try job.run(isCancelled: { stop.isRaised }, progress: { line.show($0) })
    } catch {
      line.finish()
      if error.code == "TRAINING_CANCELLED", let status = stop.status { throw Ended(status: status) }
      throw error
    }
    line.finish()
    let bytes = try ModelBytes.read(trained)
    var subjects = [
      ModelEvaluation.Subject(
        name: model ?? specification.trainer.name, role: .challenger, bytes: bytes, claims: trained.claimedMetrics)
    ]
    if let champion { subjects.append(champion) }
    let report = try ModelEvaluation.evaluate(subjects, on: dataset, options: options)
    return TrainingResult(model: trained, bytes: bytes, report: report, specification: specification, dataset: dataset)
  }

  /// The champion of the model, when there is one; one that was named has to be there.
  private func championModel() throws(HeadraceError) -> ModelEvaluation.Subject? {
    guard let data = source.place.data else { return nil }
    let reference: String
    if let champion {
      reference = champion
    } else {
      guard let model, let registry = try? LocalRegistry.existing(dataDirectory: data),
        let known = try registry.database.state()[model], known.aliases["champion"]?.version != nil
      else { return nil }
      reference = "\(model)@champion"
    }
    let (version, bytes) = try ScoringModel.file(reference, try LocalRegistry.existing(dataDirectory: data))
    return .init(name: "\(version.model) version \(version.number)", role: .champion, bytes: bytes)
  }
}

/// How far it is, on a terminal one line that is written over.
private final class ProgressText {
  private var shownMilliseconds: Int64 = 0
  private var isOpen = false

  func show(_ progress: TrainingJob.Progress) {
    switch progress {
    case .step(let done, let total, let note):
      let now = WallClock.monotonic.nowMilliseconds
      guard StandardError.isTerminal, now - shownMilliseconds >= 100 else { return }
      shownMilliseconds = now
      isOpen = true
      let text = "training: \(done) of \(total) \(note)".prefix(max(StandardError.columns - 1, 20))
      StandardError.write("\r\u{1b}[K\(text)", terminator: "")
    case .log(let line):
      finish()
      StandardError.write("trainer: \(line)")
    case .retry(let attempt, let reason):
      finish()
      StandardError.write("attempt \(attempt) failed, starting again: \(reason)")
    }
  }

  func finish() {
    if isOpen { StandardError.write("\r\u{1b}[K", terminator: "") }
    isOpen = false
  }
}
