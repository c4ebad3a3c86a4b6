internal import Core
internal import Registry

extension MLflowMirror {
  /// What MLflow takes at most of a tag or a parameter.
  private static let textBytesMax = 5_000
  private static let parametersMax = 100
  private static let metricsMax = 500
  /// MLflow takes 36.
  private static let digestDigits = 32

  /// Tells one command that was followed; `state` is the one behind it.
  mutating func tell(_ command: RegistryCommand, atMilliseconds time: Int64) async throws(HeadraceError) {
    switch command.change {
    case .startRun(let run): try await start(run, atMilliseconds: time)
    case .finishRun(let id, let result): try await finish(id, result, atMilliseconds: time)
    case .addVersion(let version): try await add(version)
    case .setAlias(let model, let alias, let version, _): try await set(alias, of: model, to: version)
    case .startRollout(let model, let alias, let rollout, _):
      let share = rollout.answers ? " of \(Double(rollout.sharePerMille) / 10) %" : ""
      try await tag(rollout.version, of: model, "headrace.rollout.\(alias)", "\(rollout.kind.rawValue)\(share)")
    case .endRollout(let model, let alias, let version, let verdict, _):
      try await tag(version, of: model, "headrace.rollout.\(alias)", "\(verdict.rawValue): \(command.reason)")
      if verdict == .promoted { try await set(alias, of: model, to: version) }
    case .requestApproval(let approval):
      try await tag(
        approval.version, of: approval.model, "headrace.approval.\(approval.alias)",
        "pending since \(RFC3339.text(milliseconds: time)), asked by \(approval.requestedBy): \(approval.reason)")
    case .decideApproval(let id, let verdict):
      guard let approval = state.approvals[id]?.approval else { return }
      try await tag(
        approval.version, of: approval.model, "headrace.approval.\(approval.alias)",
        "\(verdict.rawValue) by \(command.actor): \(command.reason)")
    case .openRetraining(let retraining): try await tag(retraining, step: .dataset, note: "")
    case .advanceRetraining(let id, _, let step, let note, _):
      guard let retraining = state.retrainings[id]?.retraining else { return }
      try await tag(retraining, step: step, note: note)
    case .claimRetraining, .setSampling: break
    }
  }

  // MARK: Runs

  private mutating func start(_ run: TrainingRun, atMilliseconds time: Int64) async throws(HeadraceError) {
    let experimentID = try await experimentID(run.experiment)
    let id: String
    if let known = try await knownRunID(run.id) {
      id = known
    } else {
      let made = try await client.post("runs/create", isRepeatable: false) { json in
        json.member("experiment_id", experimentID)
        json.member("run_name", run.id)
        json.member("start_time", time)
        json.tags(run.tags)
      }
      guard let new = made["run"]?["info"]?["run_id"]?.string else { return }
      note(run: run.id, new)
      id = new
    }
    for start in stride(from: 0, to: run.parameters.count, by: Self.parametersMax) {
      let parameters = run.parameters[start..<min(start + Self.parametersMax, run.parameters.count)]
      try await client.post("runs/log-batch") { json in
        json.member("run_id", id)
        json.key("params")
        json.array { array in
          for parameter in parameters { array.pair(parameter.name, parameter.value.prefixed(Self.textBytesMax)) }
        }
      }
    }
    try await logInput(of: run, id)
  }

  /// The dataset, by the hash of its content.
  private func logInput(of run: TrainingRun, _ id: String) async throws(HeadraceError) {
    guard let hash = run.origin.datasetManifestHash else { return }
    var source = JSONWriter()
    source.object { json in
      json.member("place", run.origin.datasetPlace)
      json.member("sha256", hash)
      json.key("tables")
      json.object { json in for data in run.origin.dataVersions { json.member(data.table, data.version) } }
    }
    let text = String(decoding: source.bytes, as: UTF8.self)
    try await client.post("runs/log-inputs") { json in
      json.member("run_id", id)
      json.key("datasets")
      json.array { array in
        array.object { json in
          json.tags([("mlflow.data.context", "training")])
          json.key("dataset")
          json.object { json in
            json.member("name", run.origin.serviceName.isEmpty ? "dataset" : run.origin.serviceName)
            json.member("digest", String(hash.prefix(Self.digestDigits)))
            json.member("source_type", "headrace")
            json.member("source", text)
          }
        }
      }
    }
  }

  private mutating func finish(
    _ id: String, _ result: RunResult, atMilliseconds time: Int64
  ) async throws(HeadraceError) {
    guard let known = try await knownRunID(id) else { return }
    let figures = result.metrics.flatMap { metric in
      [(metric.name, metric.value)]
        + [("\(metric.name).low", metric.low), ("\(metric.name).high", metric.high)]
        .compactMap { name, value in value.map { (name, $0) } }
    }
    for start in stride(from: 0, to: figures.count, by: Self.metricsMax) {
      let part = figures[start..<min(start + Self.metricsMax, figures.count)]
      try await client.post("runs/log-batch") { json in
        json.member("run_id", known)
        json.key("metrics")
        json.array { array in
          for (name, value) in part {
            array.object { json in
              json.member("key", name)
              json.member("value", value)
              json.member("timestamp", time)
              json.member("step", 0)
            }
          }
        }
      }
    }
    let notes =
      result.artefacts.map { ("headrace.artefact.\($0.name)", "sha256:\($0.contentHash) \($0.sizeBytes) bytes") }
      + (result.error.map { [("headrace.error", $0)] } ?? [])
    for (key, value) in notes {
      try await client.post("runs/set-tag") { json in
        json.member("run_id", known)
        json.member("key", key)
        json.member("value", value.prefixed(Self.textBytesMax))
      }
    }
    try await client.post("runs/update") { json in
      json.member("run_id", known)
      json.member("status", result.status.name)
      json.member("end_time", time)
    }
  }

  // MARK: Versions

  private mutating func add(_ version: ModelVersion) async throws(HeadraceError) {
    try await makeModel(version.model)
    guard try await knownVersion(version.number, of: version.model) == nil else { return }
    var runID: String?
    if let run = version.lineage?.runID { runID = try await knownRunID(run) }
    let made = try await client.post("model-versions/create", isRepeatable: false) { json in
      json.member("name", version.model)
      json.member("source", "headrace:\(filesPlace.hasPrefix("/") ? "" : "/")\(filesPlace)/\(version.contentHash)")
      if let runID { json.member("run_id", runID) }
      json.member("description", version.note.isEmpty ? version.summary : version.note)
      json.tags(version.tags)
    }
    guard let known = made["model_version"]?["version"]?.string else { return }
    note(version: version.number, of: version.model, known)
  }

  private func makeModel(_ name: String) async throws(HeadraceError) {
    do throws(HeadraceError) {
      try await client.post("registered-models/create") { $0.member("name", name) }
    } catch {
      guard error.code == "MLFLOW_RESOURCE_ALREADY_EXISTS" else { throw error }
    }
  }

  private mutating func set(_ alias: String, of model: String, to number: Int?) async throws(HeadraceError) {
    guard let number else {
      try await client.post("registered-models/alias", method: "DELETE") { json in
        json.member("name", model)
        json.member("alias", alias)
      }
      return
    }
    guard let known = try await knownVersion(number, of: model) else { return }
    try await client.post("registered-models/alias") { json in
      json.member("name", model)
      json.member("alias", alias)
      json.member("version", known)
    }
  }

  private mutating func tag(
    _ number: Int, of model: String, _ key: String, _ value: String
  ) async throws(HeadraceError) {
    guard let known = try await knownVersion(number, of: model) else { return }
    try await client.post("model-versions/set-tag") { json in
      json.member("name", model)
      json.member("version", known)
      json.member("key", key)
      json.member("value", value.prefixed(Self.textBytesMax))
    }
  }

  private func tag(_ retraining: Retraining, step: RetrainingStep, note: String) async throws(HeadraceError) {
    try await makeModel(retraining.model)
    try await client.post("registered-models/set-tag") { json in
      json.member("name", retraining.model)
      json.member("key", "headrace.retraining.\(retraining.policy)")
      json.member("value", "\(retraining.id): \(step.rawValue) \(note)".prefixed(Self.textBytesMax))
    }
  }
}

extension TrainingRun {
  fileprivate var tags: [(name: String, value: String)] {
    [
      (MLflowMirror.Tag.run, id), ("headrace.model", model), ("headrace.trainer", trainer),
      ("headrace.started_by", startedBy), ("mlflow.source.name", "headrace"), ("mlflow.user", startedBy),
    ] + origin.tags
  }
}

extension ModelVersion {
  fileprivate var tags: [(name: String, value: String)] {
    [
      (MLflowMirror.Tag.version, "\(number)"), (MLflowMirror.Tag.contentHash, contentHash),
      ("headrace.format", format), ("headrace.added_by", addedBy),
    ] + (lineage?.origin.tags ?? [])
  }
}

extension TrainingOrigin {
  fileprivate var tags: [(name: String, value: String)] {
    [
      ("headrace.dataset.sha256", datasetManifestHash ?? ""), ("headrace.dataset.place", datasetPlace),
      ("headrace.service", serviceName), ("headrace.service.version", serviceVersion),
      ("mlflow.source.git.commit", codeRevision),
    ].filter { !$0.1.isEmpty }
  }
}

extension RunResult.Status {
  /// In MLflow's words.
  fileprivate var name: String {
    switch self {
    case .finished: "FINISHED"
    case .failed: "FAILED"
    case .cancelled: "KILLED"
    }
  }
}

extension JSONWriter {
  fileprivate mutating func pair(_ key: String, _ value: String) {
    object { json in
      json.member("key", key)
      json.member("value", value)
    }
  }

  fileprivate mutating func tags(_ tags: [(name: String, value: String)]) {
    key("tags")
    array { array in for tag in tags { array.pair(tag.name, tag.value) } }
  }
}

extension String {
  fileprivate func prefixed(_ bytesMax: Int) -> String {
    utf8.count <= bytesMax ? self : String(decoding: utf8.prefix(bytesMax), as: UTF8.self)
  }
}
