internal import Core
internal import Registry
internal import Topology

/// One retraining at one moment: what its steps have recorded, and the actions that follow.
struct RetrainingView {
  let retraining: RegisteredRetraining
  let registry: RegistryState
  let facts: RetrainingFacts
  let machine: RetrainingMachine
  let cause: RetrainingCause?

  init(
    _ retraining: RegisteredRetraining, _ registry: RegistryState, _ facts: RetrainingFacts,
    _ machine: RetrainingMachine
  ) {
    self.retraining = retraining
    self.registry = registry
    self.facts = facts
    self.machine = machine
    cause = retraining.cause
  }

  var id: String { retraining.retraining.id }

  var dataset: DatasetResult? { retraining.datasetResult }
  var model: ModelResult? { retraining.modelResult }
  var evaluation: EvaluationResult? { retraining.evaluationResult }

  /// The number that the register step has given.
  var version: Int? { retraining.version(in: registry) }

  /// Steps that the policy leaves out are passed over.
  func step(after step: RetrainingStep) -> RetrainingStep {
    let wanted: [(RetrainingStep, Bool)] = [
      (.shadow, machine.policy.shadow != nil), (.canary, machine.policy.canary != nil),
      (.approval, machine.policy.promote == .approval), (.promote, true),
    ]
    let all = RetrainingStep.allCases
    let rank = all.firstIndex(of: step) ?? 0
    return wanted.first { $0.1 && (all.firstIndex(of: $0.0) ?? 0) > rank }?.0 ?? .promote
  }

  func messageKey(_ name: String) -> String { "\(id)-\(name)" }

  func advance(to step: RetrainingStep, _ note: String, evidence: String) -> RetrainingAction {
    // The log would refuse it every time.
    guard evidence.utf8.count <= RegistryLimits.evidenceBytes else {
      return end(
        .stopped,
        "what the step `\(retraining.step.rawValue)` found is too large for the log: \(evidence.utf8.count) bytes, at "
          + "most \(RegistryLimits.evidenceBytes)")
    }
    return .send(
      .advanceRetraining(id: id, from: retraining.step, to: step, note: Self.shortened(note), evidence: evidence))
  }

  /// As much of a note as the log takes, in bytes.
  private static func shortened(_ note: String) -> String {
    note.utf8.count <= noteBytes ? note : String(decoding: note.utf8.prefix(noteBytes), as: UTF8.self)
  }

  private static let noteBytes = 1_000

  /// Ends it: what runs beside is ended first, then people are told, then the log.
  func end(
    _ step: RetrainingStep, kind: String? = nil, _ note: String, evidence: String = ""
  ) -> RetrainingAction {
    let note = note.isEmpty ? step.rawValue : Self.shortened(note)
    if step != .done, let version, let alias = registry[machine.model]?.aliases[machine.alias],
      let current = alias.version, let record = alias.rolloutHistory.last(where: { isOurs($0, version) })
    {
      let verdict: RolloutVerdict = step == .refused ? .rolledBack : .stopped
      return .send(
        .endRollout(
          model: machine.model, alias: machine.alias, version: record.rollout.version, verdict: verdict,
          expected: current))
    }
    let key = messageKey("end")
    guard facts.told.contains(key) else {
      return .tell(RetrainingMessage(key: key, kind: kind ?? step.rawValue, text: note))
    }
    let stream = WorkJSON.text { json in
      json.member("stream_ms", facts.streamMilliseconds)
      guard !evidence.isEmpty, evidence.utf8.count < RegistryLimits.evidenceBytes / 2 else { return }
      json.key("evidence")
      json.raw(evidence.utf8)
    }
    return .send(
      .advanceRetraining(id: id, from: retraining.step, to: step, note: note, evidence: stream))
  }

  private func isOurs(_ record: RegisteredAlias.RolloutRecord, _ version: Int) -> Bool {
    record.ended == nil && record.rollout.version == version && record.began.offset > retraining.opened.offset
  }

  func run(of dataset: DatasetResult) -> TrainingRun {
    let (trainer, parameters) =
      switch machine.policy.work {
      case .trainer(let trainer, let parameters): (trainer.rawValue, parameters)
      case .command(let words): ("command", [TrainerParameter(name: "command", text: words.joined(separator: " "))])
      case .orchestrator(let outside):
        (outside.kind.rawValue, [TrainerParameter(name: "target", text: outside.target)])
      }
    return TrainingRun(
      id: id, experiment: retraining.retraining.policy, model: machine.model, trainer: trainer,
      parameters: parameters.map { RunParameter(name: $0.name, value: $0.text) }, origin: origin(of: dataset),
      startedBy: retraining.retraining.openedBy)
  }

  func origin(of dataset: DatasetResult) -> TrainingOrigin {
    TrainingOrigin(
      datasetManifestHash: dataset.contentHash, datasetPlace: dataset.folder,
      dataVersions: dataset.tables.sorted { $0.key < $1.key }.map { DataVersion(table: $0.key, version: $0.value) },
      serviceName: dataset.serviceName, serviceVersion: dataset.serviceFingerprint,
      codeRevision: model?.codeRevision ?? "")
  }

  func runResult(of model: ModelResult) -> RunResult {
    RunResult(
      status: .finished,
      metrics: model.claims.filter { $0.value.isFinite }.map { RunMetric(name: $0.name, value: $0.value) },
      artefacts: [Artefact(name: "model", contentHash: model.contentHash, sizeBytes: model.sizeBytes)])
  }

  func version(number: Int, _ model: ModelResult, _ evaluation: EvaluationResult) -> ModelVersion {
    let metrics = (evaluation.report.challenger?.metrics ?? []).filter { $0.value.isFinite }.map {
      RunMetric(name: $0.name, value: $0.value, low: $0.low, high: $0.high)
    }
    return ModelVersion(
      model: machine.model, number: number, contentHash: model.contentHash, format: evaluation.format,
      summary: evaluation.summary, featureCount: evaluation.featureCount, featureNames: evaluation.featureNames,
      outputCount: evaluation.outputCount, addedAtMilliseconds: facts.nowMilliseconds,
      addedBy: "policy \(machine.policy.name)", note: "retraining \(id)",
      lineage: VersionLineage(
        runID: id, origin: dataset.map { origin(of: $0) } ?? TrainingOrigin(), metrics: metrics))
  }

  /// What an approval shows where there is no page.
  func summary(version: Int) -> String {
    WorkJSON.text { json in
      json.member("retraining", id)
      json.member("version", version)
      json.member("cause", cause?.trigger ?? "")
      guard let evaluation else { return }
      json.member("gates", GateVerdict(machine.policy, evaluation).text)
      json.key("differences")
      json.array { array in
        for difference in evaluation.report.differences where difference.role == .champion {
          array.object { json in
            json.member("metric", difference.metric)
            json.member("value", difference.value)
            json.member("low", difference.low)
            json.member("high", difference.high)
          }
        }
      }
    }
  }
}
