internal import Core
internal import Expressions

extension PlanBuilder {
  func policy(_ declared: PolicyDeclaration) -> PolicyPlan? {
    let what = "policy `\(declared.name.text)`"
    let triggers = declared.when.flatMap { self.triggers($0, what) }
    let gates = declared.gates.compactMap { gate($0.metric, $0.gate, what) }
    let slices = declared.slices.map { self.slices($0, what) }
    let shadow = declared.shadow.map { trial($0, "`shadow` of \(what)") }
    let canary = declared.canary.map { self.canary($0, what) }
    let guards = self.guards(declared, what)
    if declared.promote?.value == .automatic, declared.gates.isEmpty, let promote = declared.promote {
      log.error(
        at: promote.scalar, "\(what) promotes without a gate",
        remedy: "add `gate: {auc: better than champion}`, or `promote: approval`")
    }
    let work = work(declared, what)
    let dataset = dataset(declared, what)
    guard let triggers, let model = model(declared, triggers, what), let work, let dataset, let guards,
      gates.count == declared.gates.count, canBeGated(declared, model, what), isArchived(declared, model, what)
    else { return nil }
    checkFeatureDrift(declared, model, what)
    return PolicyPlan(
      name: declared.name.text, about: declared.about, model: model, triggers: triggers, work: work, dataset: dataset,
      gates: gates, slices: slices ?? nil,
      shadow: shadow?.map { PolicyShadow(milliseconds: $0.milliseconds, eventCount: $0.eventCount, gates: $0.gates) },
      canary: canary ?? nil, promote: declared.promote?.value ?? .approval,
      approvalTimeoutMilliseconds: declared.approvalTimeout?.value ?? 7 * 86_400_000, guards: guards,
      notify: declared.notify.compactMap { webhook($0.url, secret: $0.secretVariable, "`notify` of \(what)") })
  }

  /// A gate that nothing can be measured by would never let a version pass.
  private func checkFeatureDrift(_ declared: PolicyDeclaration, _ model: Int, _ what: String) {
    let name = PolicyRolloutGate.Metric.featureDrift.rawValue
    let isOfFeatures = { (gate: YAMLScalar) in gate.text.filter { $0 != " " }.hasPrefix("\(name)<=") }
    for gate in (declared.shadow?.gates ?? []).filter(isOfFeatures) {
      log.error(
        at: gate, "`shadow` of \(what) has no \(name): it scores the events that the champion answers",
        remedy: "use it in `canary`")
    }
    guard let plan = models[model], plan.stream?.features != .full else { return }
    for gate in (declared.canary?.gates ?? []).filter(isOfFeatures) {
      log.error(
        at: gate, "\(what): predictions of model `\(plan.name)` do not carry the features that \(name) compares",
        remedy: "write `features: full` in the model, or leave the gate out")
    }
  }

  /// The model that is named, or that of the monitors that ring.
  private func model(_ declared: PolicyDeclaration, _ triggers: [PolicyTrigger], _ what: String) -> Int? {
    var position: Int?
    if let name = declared.model {
      position = resolve(name, in: declaration.models, "model") { $0.name }
      guard position != nil else { return nil }
    } else {
      let watched = Set(triggers.compactMap(\.monitor).compactMap { monitors[$0]?.model })
      // Whatever is wrong with a monitor was reported.
      if triggers.contains(where: { $0.monitor.map { monitors[$0] == nil } ?? false }) { return nil }
      guard watched.count == 1 else {
        log.error(
          at: declared.name, "\(what) does not say which model it trains",
          found: watched.isEmpty ? "no monitor in `when`" : "monitors of \(watched.count) models",
          remedy: "add `model: NAME`")
        return nil
      }
      position = watched.first
    }
    guard let position, let model = models[position] else { return nil }
    guard let use = model.use, case .alias = use.selector, model.stream != nil else {
      log.error(
        at: declared.model ?? declared.name,
        "\(what) trains model `\(model.name)`, which does not follow an alias of the registry",
        remedy: "write `use: \(model.name)@champion` in the model")
      return nil
    }
    guard model.label != nil else {
      log.error(
        at: declared.model ?? declared.name, "\(what) trains model `\(model.name)`, which has no `label`",
        remedy: "say where the truth comes from: `label: {source: …, match: …, value: …, within: …}`")
      return nil
    }
    return position
  }

  private func gate(_ name: YAMLScalar, _ gate: PolicyDeclaration.Gate, _ what: String) -> PolicyGate? {
    guard let metric: ModelMetric = named(name, "\(what): there is no metric") else { return nil }
    return switch gate {
    case .betterThanChampion(let margin): .betterThanChampion(metric, margin: margin)
    case .bounds(let bounds): .bounds(metric, bounds)
    }
  }

  private func slices(_ declared: PolicyDeclaration.Slices, _ what: String) -> PolicySlices? {
    guard let metric: ModelMetric = named(declared.metric, "\(what): there is no metric") else { return nil }
    let rows = declared.minimumRows.flatMap { count($0, "`minimum_rows` in `slices` of \(what)", 1...1_000_000_000) }
    return PolicySlices(
      columns: declared.columns.map(\.text), metric: metric, worseByAtMost: declared.worseByAtMost?.value ?? 0.02,
      minimumRowCount: rows ?? 200)
  }

  private func trial(_ declared: PolicyDeclaration.Trial, _ what: String) -> PolicyShadow? {
    let gates = declared.gates.compactMap { rolloutGate($0, what) }
    let events = declared.events.flatMap { count($0, "`events` of \(what)", 1...1_000_000_000) }
    guard gates.count == declared.gates.count else { return nil }
    return PolicyShadow(milliseconds: declared.duration?.value ?? 0, eventCount: events ?? 0, gates: gates)
  }

  private func canary(_ declared: PolicyDeclaration.Trial, _ what: String) -> PolicyCanary? {
    guard let trial = trial(declared, "`canary` of \(what)"), let share = declared.share else { return nil }
    let number =
      share.text.hasSuffix("%") ? Double(share.text.dropLast()).map { $0 / 100 } : Double(share.text)
    guard let number, number > 0, number <= 1 else {
      log.error(
        at: share, "`share` in `canary` of \(what) is no share of the keys", found: "`\(share.shortText)`",
        expected: "a number such as `5%` or `0.05`")
      return nil
    }
    return PolicyCanary(
      sharePerMille: max(1, Int((number * 1_000).rounded())), milliseconds: trial.milliseconds,
      eventCount: trial.eventCount, gates: trial.gates)
  }

  /// `score_psi<=0.2`.
  private func rolloutGate(_ scalar: YAMLScalar, _ what: String) -> PolicyRolloutGate? {
    let text = scalar.text.filter { $0 != " " }
    guard let sign = text.firstRange(of: "<="), let limit = Double(text[sign.upperBound...]), limit.isFinite, limit >= 0
    else {
      log.error(
        at: scalar, "a gate in \(what) is not understood", found: "`\(scalar.shortText)`",
        expected: "such as `error_rate<=0.01`, `latency_ms<=5`, `score_drift<=0.1` or `disagreement<=0.1`")
      return nil
    }
    let name = String(text[..<sign.lowerBound])
    if let metric = PolicyRolloutGate.Metric(rawValue: name) { return PolicyRolloutGate(metric: metric, atMost: limit) }
    log.error(
      at: scalar, "\(what): there is no figure `\(name)`",
      nearest: NearestName.of(name, in: PolicyRolloutGate.Metric.allCases.map(\.rawValue)))
    return nil
  }

  private func dataset(_ declared: PolicyDeclaration, _ what: String) -> PolicyDataset? {
    guard let window = declared.datasetWindow else { return nil }
    var split = "time:0.8"
    if let text = declared.datasetSplit {
      let parts = text.text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2, ["time", "entity"].contains(parts[0]), let share = Double(parts[1]), share > 0, share < 1
      else {
        log.error(
          at: text, "`split` in `dataset` of \(what) is not understood", found: "`\(text.shortText)`",
          expected: "`time:0.8` or `entity:0.8`: the share that trains")
        return nil
      }
      split = text.text
    }
    return PolicyDataset(windowMilliseconds: window.value, split: split)
  }

  private func guards(_ declared: PolicyDeclaration, _ what: String) -> PolicyGuards? {
    var guards = PolicyGuards(cooldownMilliseconds: declared.cooldown?.value ?? 0)
    if let time = declared.budgetTime { guards.trainingMilliseconds = time.value }
    if let runs = declared.runsPerWeek {
      guards.runsPerWeek = count(runs, "`runs_per_week` of \(what)", 1...10_000)
      if guards.runsPerWeek == nil { return nil }
    }
    if let labels = declared.minimumLabels {
      guard let count = count(labels, "`minimum_labels` of \(what)", 0...1_000_000_000) else { return nil }
      guards.minimumLabelCount = count
    }
    return guards
  }

  private func count(_ number: Located<Double>, _ what: String, _ range: ClosedRange<Int>) -> Int? {
    if let value = Int(exactly: number.value), range.contains(value) { return value }
    log.error(
      at: number.scalar, "\(what) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
      found: "`\(number.scalar.shortText)`")
    return nil
  }
}
