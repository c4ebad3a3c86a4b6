internal import Core
internal import Registry
internal import Training

extension RegistryState {
  /// - Throws: RETRAINING_NOT_FOUND.
  func retraining(_ id: String) throws(HeadraceError) -> RegisteredRetraining {
    if let found = retrainings[id] { return found }
    let nearest = NearestName.of(id, in: retrainings.keys.sorted()).map { "; did you mean `\($0)`?" } ?? ""
    throw HeadraceError(
      .user, "RETRAINING_NOT_FOUND", "there is no such retraining\(nearest)", place: id,
      remedy: "`headrace retrain list` shows what there is")
  }
}

/// One retraining for people.
struct RetrainingText {
  let retraining: RegisteredRetraining

  init(_ retraining: RegisteredRetraining) { self.retraining = retraining }

  var lines: String {
    let about = retraining.retraining
    var lines = [
      "retraining \(about.id) of \(about.model), policy \(about.policy)",
      "cause: \(retraining.cause?.trigger ?? "unknown"), opened by \(about.openedBy)", "",
    ]
    var table = Table([("step", .left), ("since", .left), ("note", .left)])
    for step in retraining.steps {
      table.append([
        step.step.rawValue, RFC3339.text(milliseconds: step.entry.timeMilliseconds), String(step.note.prefix(200)),
      ])
    }
    lines.append(table.text)
    if let report = retraining.evaluationResult?.report {
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
}
