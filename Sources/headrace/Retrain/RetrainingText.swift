internal import Core
internal import Registry
internal import Training

/// One retraining for people and programs: the command line and HTTP say the same.
struct RetrainingText {
  let retraining: RegisteredRetraining
  let registry: RegistryState

  init(_ retraining: RegisteredRetraining, _ registry: RegistryState) {
    self.retraining = retraining
    self.registry = registry
  }

  /// - Throws: RETRAINING_NOT_FOUND.
  static func find(_ id: String, _ registry: RegistryState) throws(HeadraceError) -> RetrainingText {
    if let found = registry.retrainings[id] { return RetrainingText(found, registry) }
    let nearest = NearestName.of(id, in: registry.retrainings.keys.sorted()).map { "; did you mean `\($0)`?" } ?? ""
    throw HeadraceError(
      .user, "RETRAINING_NOT_FOUND", "there is no such retraining\(nearest)", place: id,
      remedy: "`headrace retrain list` shows what there is")
  }

  private func evidence(into step: RetrainingStep) -> String {
    retraining.steps.first { $0.step == step }?.evidence ?? ""
  }

  var dataset: DatasetResult? { DatasetResult(json: evidence(into: .train)) }
  var model: ModelResult? { ModelResult(json: evidence(into: .evaluate)) }
  var evaluation: EvaluationResult? { EvaluationResult(json: evidence(into: .gate)) }
  var cause: RetrainingCause? { RetrainingCause(json: retraining.retraining.cause) }

  var version: Int? {
    guard let model else { return nil }
    return registry[retraining.retraining.model]?.versions.first {
      $0.version.contentHash == model.contentHash
    }?.version.number
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("retraining", retraining.retraining.id)
      json.member("policy", retraining.retraining.policy)
      json.member("model", retraining.retraining.model)
      json.member("step", retraining.step.rawValue)
      json.member("open", retraining.isOpen)
      json.member("opened_by", retraining.retraining.openedBy)
      json.member("opened_at", RFC3339.text(milliseconds: retraining.opened.timeMilliseconds))
      json.member("at_ms", retraining.retraining.atMilliseconds)
      json.member("offset", retraining.opened.offset)
      if let version { json.member("version", version) }
      if let lease = retraining.lease {
        json.member("worker", lease.worker)
        json.member("lease_until", RFC3339.text(milliseconds: lease.untilMilliseconds))
      }
      json.key("cause")
      json.raw(retraining.retraining.cause.isEmpty ? "null".utf8 : retraining.retraining.cause.utf8)
      json.key("steps")
      json.array { array in
        for step in retraining.steps {
          array.object { json in
            json.member("step", step.step.rawValue)
            json.member("note", step.note)
            json.member("at", RFC3339.text(milliseconds: step.entry.timeMilliseconds))
            json.member("offset", step.entry.offset)
            json.key("evidence")
            json.raw(step.evidence.isEmpty ? "null".utf8 : step.evidence.utf8)
          }
        }
      }
    }
    return writer.bytes
  }

  var lines: String {
    let about = retraining.retraining
    var lines = [
      "retraining \(about.id) of \(about.model), policy \(about.policy)",
      "cause: \(cause?.trigger ?? "unknown"), opened by \(about.openedBy)", "",
    ]
    var table = Table([("step", .left), ("since", .left), ("note", .left)])
    for step in retraining.steps {
      table.append([
        step.step.rawValue, RFC3339.text(milliseconds: step.entry.timeMilliseconds), String(step.note.prefix(200)),
      ])
    }
    lines.append(table.text)
    if let report = evaluation?.report {
      var figures = Table([("model", .left), ("metric", .left), ("value", .right), ("interval", .left)])
      for model in report.models {
        for metric in model.metrics {
          let interval = metric.low.flatMap { low in metric.high.map { "\(low) to \($0)" } } ?? ""
          figures.append([model.name, metric.name, "\(metric.value)", interval])
        }
      }
      lines.append(figures.text)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  var page: String { EvidencePage(self).html }
}
