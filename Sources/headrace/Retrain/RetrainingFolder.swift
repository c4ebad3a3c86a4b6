internal import Core
internal import Glibc
internal import Training

/// What a process keeps of one retraining: `DIR/retrainings/ID`. Everything in it can be made again; what counts is in
/// the log, beside the tables, and in the store of models.
struct RetrainingFolder {
  let path: String

  init(dataDirectory: String, id: String) throws(HeadraceError) {
    path = "\(dataDirectory)/retrainings/\(id)"
    try Folder.make(path)
  }

  /// Where the trainer keeps its checkpoints.
  var training: String { "\(path)/training" }
  var labels: String { "\(path)/labels.parquet" }
  var log: String { "\(path)/work.log" }
  /// Held by whoever works, so that a process that was left alone and its successor do not both.
  var lock: String { "\(path)/lock" }

  /// What a piece of work has left; nil while it is not done.
  func result(_ work: RetrainingAction.Work) -> RetrainingFacts.Result? {
    guard let text = text("\(work.rawValue).json") else { return nil }
    return switch work {
    case .dataset: DatasetResult(json: text).map { .dataset($0) }
    case .train: ModelResult(json: text).map { .model($0) }
    case .evaluate: EvaluationResult(json: text).map { .evaluation($0) }
    }
  }

  func keep(_ json: String, of work: RetrainingAction.Work) throws(HeadraceError) {
    try NewFile.replace("\(path)/\(work.rawValue).json", with: Array(json.utf8))
  }

  /// Messages that were delivered, or given up.
  var told: Set<String> { Set((text("told") ?? "").split(separator: "\n").map(String.init)) }

  func noteTold(_ key: String) throws(HeadraceError) {
    guard !told.contains(key) else { return }
    try NewFile.replace("\(path)/told", with: Array(((text("told") ?? "") + key + "\n").utf8))
  }

  /// Why a piece of work failed, each time, oldest first.
  func failures(_ work: RetrainingAction.Work) -> [String] {
    (text("\(work.rawValue).failures") ?? "").split(separator: "\n").map(String.init)
  }

  func noteFailure(_ reason: String, of work: RetrainingAction.Work) throws(HeadraceError) {
    let line = String(reason.map { $0.isNewline ? " " : $0 })
    try NewFile.replace(
      "\(path)/\(work.rawValue).failures",
      with: Array((failures(work) + [line]).joined(separator: "\n").utf8))
  }

  /// A report with many slices is larger than what people write.
  private static let fileBytesMax = 64 << 20

  private func text(_ name: String) -> String? {
    let full = "\(path)/\(name)"
    guard unsafe access(full, F_OK) == 0 else { return nil }
    return try? TextFile.read(full, sizeBytesMax: Self.fileBytesMax)
  }
}
