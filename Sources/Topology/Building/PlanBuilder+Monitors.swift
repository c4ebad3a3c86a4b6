internal import Core
internal import Expressions

extension PlanBuilder {
  func monitor(_ declared: MonitorDeclaration) -> MonitorPlan? {
    let what = "monitor `\(declared.name.text)`"
    let model = resolve(declared.model, in: declaration.models, "model") { $0.name }
    let tests = declared.tests.compactMap { entry -> (test: DriftTest, threshold: Double)? in
      guard let test: DriftTest = named(entry.name, "\(what): there is no drift test") else { return nil }
      guard entry.threshold.value > 0 else {
        log.error(at: entry.threshold.scalar, "the threshold of `\(test.rawValue)` must be above 0")
        return nil
      }
      return (test, entry.threshold.value)
    }
    let performance = declared.performance.compactMap { entry -> (metric: ModelMetric, bounds: MetricBounds)? in
      guard let metric: ModelMetric = named(entry.metric, "\(what): there is no metric") else { return nil }
      return (metric, entry.bounds)
    }
    if !declared.performance.isEmpty, let model, declaration.models[model].label == nil {
      log.error(
        at: declared.performance[0].metric, "\(what) watches performance, and its model has no `label`",
        remedy: "say where the truth comes from: `label: {source: …, match: …, value: …, within: …}`")
    }
    guard let model, let window = declared.window else { return nil }
    var plan = MonitorPlan(
      name: declared.name.text, about: declared.about, model: model, windowMilliseconds: window.value, tests: tests,
      performance: performance)
    plan.segments = segments(declared, model, what)
    if let declared = declared.reference, let reference = reference(declared, window.value, what) {
      plan.reference = reference
    }
    plan.knownChanges = declared.knownChanges.compactMap { knownChange($0, what) }
    if let rate = declared.falseDiscoveryRate {
      plan.falseDiscoveryRate = rate.value
      if !(rate.value > 0 && rate.value < 1) {
        log.error(at: rate.scalar, "`false_discovery_rate` of \(what) must lie between 0 and 1")
      }
    }
    if let rows = declared.minimumRows {
      plan.minimumRowCount = Int(exactly: rows.value)
      if !(1...1e9 ~= rows.value) || plan.minimumRowCount == nil {
        log.error(at: rows.scalar, "`minimum_rows` of \(what) must be a whole number above 0")
      }
    }
    if let windows = declared.resolveAfter {
      plan.resolveAfterWindows = Int(exactly: windows.value)
      if !(1...1e6 ~= windows.value) || plan.resolveAfterWindows == nil {
        log.error(at: windows.scalar, "`resolve_after` of \(what) must be a whole number of windows above 0")
      }
    }
    return plan
  }

  /// Fields of the model's events.
  private func segments(_ declared: MonitorDeclaration, _ model: Int, _ what: String) -> [Int] {
    guard let source = models[model]?.source, let plan = sources[source]?.plan else { return [] }
    return declared.segments.compactMap { segment in
      if let position = plan.scope.firstIndex(where: { $0.name == segment.text }) { return position }
      log.error(
        at: segment, "`segments` of \(what): source `\(plan.name)` has no field `\(segment.shortText)`",
        nearest: NearestName.of(segment.text, in: plan.scope.map(\.name)))
      return nil
    }
  }

  /// `trailing 7 windows`, `same hour last week`, `7d earlier`, `{dataset: late@3}`.
  private func reference(
    _ declared: MonitorDeclaration.Reference, _ window: Int64, _ what: String
  ) -> MonitorReferencePlan? {
    switch declared {
    case .text(let scalar): return reference(scalar, window, what)
    case .dataset(let scalar):
      let parts = scalar.text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
      if parts.count == 2, !parts[0].isEmpty, !parts[0].contains("/"), let version = Int(parts[1]), version > 0 {
        return .dataset(DatasetReferencePlan(name: parts[0], version: version))
      }
      log.error(
        at: scalar, "`reference` of \(what) names no version of a dataset", found: "`\(scalar.shortText)`",
        expected: "NAME@VERSION, as in `late@3`", remedy: "see `headrace dataset list`")
      return nil
    }
  }

  private func reference(_ scalar: YAMLScalar, _ window: Int64, _ what: String) -> MonitorReferencePlan? {
    let words = scalar.text.split(separator: " ").map(String.init)
    if words == ["same", "hour", "last", "week"] { return earlier(604_800_000, scalar, window, what) }
    if words.count == 2, words[1] == "earlier", let time = DurationLiteral.milliseconds(words[0]), time > 0 {
      return earlier(time, scalar, window, what)
    }
    if words.count == 3, words[0] == "trailing", words[2] == "windows" || words[2] == "window",
      let count = Int(words[1]),
      (1...1_000).contains(count)
    {
      return .trailing(windows: count)
    }
    log.error(
      at: scalar, "`reference` of \(what) is not understood", found: "`\(scalar.shortText)`",
      expected: "`trailing 7 windows`, `same hour last week`, `7d earlier` or `{dataset: NAME@VERSION}`")
    return nil
  }

  private func earlier(
    _ time: Int64, _ scalar: YAMLScalar, _ window: Int64, _ what: String
  ) -> MonitorReferencePlan? {
    guard time % window == 0 else {
      log.error(
        at: scalar, "`reference` of \(what) does not begin where a window does",
        expected: "a multiple of the window, \(DurationLiteral.text(window))")
      return nil
    }
    return .earlier(milliseconds: time)
  }

  private func knownChange(
    _ declared: (from: YAMLScalar, to: YAMLScalar, about: YAMLScalar), _ what: String
  ) -> KnownChangePlan? {
    var times: [Int64] = []
    for scalar in [declared.from, declared.to] {
      guard let time = RFC3339.milliseconds(scalar.text) else {
        log.error(
          at: scalar, "a known change of \(what) has no time", found: "`\(scalar.shortText)`",
          expected: "a date, or a time as in RFC 3339: 2026-11-27T00:00:00Z")
        return nil
      }
      times.append(time)
    }
    guard times[0] < times[1] else {
      log.error(at: declared.to, "a known change of \(what) ends before it begins")
      return nil
    }
    return KnownChangePlan(about: declared.about.text, startMilliseconds: times[0], endMilliseconds: times[1])
  }

  func named<Name: RawRepresentable & CaseIterable>(_ scalar: YAMLScalar, _ message: String) -> Name?
  where Name.RawValue == String {
    if let name = Name(rawValue: scalar.text) { return name }
    let names = Name.allCases.map(\.rawValue)
    let nearest = NearestName.of(scalar.text, in: names)
    log.error(
      at: scalar, "\(message) `\(scalar.shortText)`",
      expected: nearest == nil ? "one of \(Self.list(names))" : nil, nearest: nearest)
    return nil
  }
}
