internal import Columns
internal import Core
internal import Expressions

// What a policy needs from the rest of its topology: found out before anything runs.

extension PlanBuilder {
  /// Whether evaluation measures all figures that gates and slices ask for.
  func canBeGated(_ declared: PolicyDeclaration, _ position: Int, _ what: String) -> Bool {
    guard let model = models[position] else { return true }
    var names = declared.gates.map(\.metric)
    if let slices = declared.slices { names.append(slices.metric) }
    let metrics = names.compactMap { name in ModelMetric(rawValue: name.text).map { (name, $0) } }
    let isOfNumbers =
      model.label?.value.type != .boolean && model.stream?.threshold == nil
      && metrics.allSatisfy(\.1.isOfNumbers)
    var isRight = true
    for (name, metric) in metrics where metric.isOfNumbers != isOfNumbers {
      let possible = ModelMetric.allCases.filter { $0.isOfNumbers == isOfNumbers }.map(\.rawValue)
      log.error(
        at: name,
        "`\(name.shortText)` in `gate` of \(what) is not measured for model `\(model.name)`, "
          + "whose truth is yes or no", expected: "one of \(possible.joined(separator: ", "))",
        remedy: "gate on one of these, or make the label a number, without a `threshold`")
      isRight = false
    }
    return isRight
  }

  /// Datasets are made of archived events: those that are scored, those with the truth, those that views are made of.
  func isArchived(_ declared: PolicyDeclaration, _ position: Int, _ what: String) -> Bool {
    guard let model = models[position] else { return true }
    var needed: [(source: Int, role: String)] = [(model.source, "scores its events")]
    if let label = model.label { needed.append((label.source, "takes its label from it")) }
    for view in services[model.service]?.views ?? [] {
      if let view = views[view] { needed.append((view.source, "reads view `\(view.name)` of it")) }
    }
    var seen: Set<Int> = []
    var isRight = true
    for (index, role) in needed where seen.insert(index).inserted {
      guard let source = sources[index]?.plan, !source.isArchived else { continue }
      log.error(
        at: declared.name, "\(what) trains on archived events, and source `\(source.name)` has `archive: off`",
        found: "model `\(model.name)` \(role)",
        remedy: "write `archive: on` (the default), or retrain elsewhere and publish with `headrace models publish`")
      isRight = false
    }
    return isRight
  }
}
