internal import CProcess
internal import Core

/// A program of somebody else as a trainer: whatever it does, its limits hold, nothing of it survives, and what it says
/// counts for nothing but a claim.
struct CommandTrainer {
  let specification: TrainingSpecification
  let words: [String]
  let dataset: TrainingDataset
  let folder: WorkFolder
  let watch: TrainingWatch

  /// Between SIGTERM and SIGKILL.
  private static let graceMilliseconds: Int64 = 3_000
  private static let tickMilliseconds: Int32 = 50
  /// How often the output folder is measured.
  private static let measureMilliseconds: Int64 = 200

  func train() throws(HeadraceError) -> TrainingJob.Output {
    guard !words.isEmpty else {
      throw HeadraceError(
        .user, "TRAINING_PARAMETER", "the command has no words", place: "command", remedy: "name a program")
    }
    let data = try folder.makeEmpty("data")
    try TrainerData(dataset: dataset, specification: specification).write(into: data, watch)
    var attempt = 1
    var backoff = max(0, specification.backoffMilliseconds)
    while true {
      do throws(HeadraceError) {
        var output = try run(data)
        output.attempts = attempt
        return output
      } catch {
        guard error.retry == .sameCall, attempt <= specification.retries else { throw error }
        watch.progress(.retry(attempt: attempt, reason: error.message))
        try pause(backoff)
        attempt += 1
        backoff = min(backoff &* 2, 600_000)
      }
    }
  }

  private func pause(_ milliseconds: Int64) throws(HeadraceError) {
    let end = WallClock.monotonic.nowMilliseconds + milliseconds
    while WallClock.monotonic.nowMilliseconds < end {
      try watch.check()
      Sleep.milliseconds(Int(Self.tickMilliseconds))
    }
    try watch.check()
  }

  /// Why it is being ended.
  private enum Reason {
    case cancelled, timeout
    case output(String)
  }

  private func run(_ data: String) throws(HeadraceError) -> TrainingJob.Output {
    let output = try folder.makeEmpty("output")
    let temporary = "\(output)/tmp"
    try WorkFolder.make(temporary)
    let command = try TrainerCommand(
      words,
      .init(dataset: data, manifest: "\(data)/manifest.json", output: "\(output)/model", temporary: temporary),
      specification)
    let budget = specification.budget
    var process = try TrainerProcess(
      command.arguments, environment: command.environment, folder: ".",
      limits: .init(addressSpaceBytes: budget.memoryBytes, fileBytes: budget.outputBytes), held: folder.lock)
    var (lines, errors) = (TrainerLines(), TrainerLines())
    var reason: Reason?
    var (killAt, measureAt) = (Int64.max, WallClock.monotonic.nowMilliseconds + Self.measureMilliseconds)
    var ending: TrainerProcess.Ending?
    while ending == nil {
      ending = try process.poll(milliseconds: Self.tickMilliseconds) { bytes, isOutput in
        if isOutput {
          lines.append(bytes, isProtocol: true, watch.progress)
        } else {
          errors.append(bytes, isProtocol: false, watch.progress)
        }
      }
      let now = WallClock.monotonic.nowMilliseconds
      if reason == nil {
        reason = self.reason(output, now, &measureAt)
        if reason != nil {
          process.order(HR_TERMINATE)
          killAt = now + Self.graceMilliseconds
        }
      } else if now >= killAt {
        process.order(HR_KILL)
        killAt = now + Self.graceMilliseconds
      }
    }
    lines.finish(isProtocol: true, watch.progress)
    errors.finish(isProtocol: false, watch.progress)
    return try result(ending, reason, lines, errors, output)
  }

  private func reason(_ output: String, _ now: Int64, _ measureAt: inout Int64) -> Reason? {
    if watch.isCancelled() { return .cancelled }
    if watch.isOver { return .timeout }
    guard now >= measureAt else { return nil }
    measureAt = now + Self.measureMilliseconds
    return excess(output)
  }

  private func excess(_ output: String) -> Reason? {
    let limit = specification.budget.outputBytes
    guard FolderTree.sizeBytes(output, limit: limit) > limit else { return nil }
    return .output("it wrote more than the \(limit) bytes that it may")
  }

  private func result(
    _ ending: TrainerProcess.Ending?, _ reason: Reason?, _ lines: TrainerLines, _ errors: TrainerLines, _ output: String
  ) throws(HeadraceError) -> TrainingJob.Output {
    switch reason ?? excess(output) {
    case .cancelled: throw .trainingCancelled
    case .timeout:
      throw HeadraceError.trainingTimeout(specification.budget.timeoutMilliseconds, place: words.joined(separator: " "))
    case .output(let what): throw failure("TRAINER_OUTPUT", what, lines, errors)
    case nil: break
    }
    guard let ending, ending.isSuccess else {
      var error = failure("TRAINER_FAILED", ending?.description ?? "it is gone", lines, errors)
      // Whoever cannot be started cannot be started the next time either.
      error.retry = ending?.startError == 0 ? .sameCall : .never
      throw error
    }
    let name = lines.artefact ?? "model"
    guard !name.split(separator: "/").contains(".."), !name.hasPrefix("/") else {
      throw failure("TRAINER_OUTPUT", "the artefact `\(name.prefix(200))` is outside of its folder", lines, errors)
    }
    guard
      let bytes = try WorkFolder.read("\(output)/\(name)", bytesMax: specification.budget.outputBytes, followsLinks: false)
    else { throw failure("TRAINER_OUTPUT", "there is no file `\(name.prefix(200))` in its folder", lines, errors) }
    var log = Array((lines.log + errors.log).suffix(TrainerLines.logLinesMax))
    if ending.survivors > 0 { log.append("\(ending.survivors) processes were left behind, and killed") }
    let dropped = lines.droppedLines + errors.droppedLines
    if dropped > 0 { log.append("\(dropped) lines were dropped, of \(lines.byteCount &+ errors.byteCount) bytes") }
    return TrainingJob.Output(bytes: bytes, claims: lines.claims, log: log)
  }

  private func failure(_ code: String, _ what: String, _ lines: TrainerLines, _ errors: TrainerLines) -> HeadraceError {
    let last = (lines.log.suffix(2) + errors.log.suffix(4)).map { String($0.prefix(200)) }.joined(separator: " | ")
    return HeadraceError(
      .external, code, last.isEmpty ? what : "\(what); it said: \(last)", place: words.joined(separator: " "),
      remedy: "run the command by hand on \(folder.place("data"))")
  }
}
