internal import Columns
internal import Contracts
internal import Core
internal import Drift
internal import Expressions
internal import Features
internal import Topology

extension Plan {
  /// Monitors of models that run in the stream; positions in `monitors`. Others have no predictions to look at.
  var runningMonitors: [Int] { monitors.indices.filter { models[monitors[$0].model].stream != nil } }
}

extension MonitorDefinition {
  init(_ plan: Plan, monitor index: Int) {
    let monitor = plan.monitors[index]
    let model = plan.models[monitor.model]
    let source = plan.sources[model.source]
    // Of features that were hashed or left out nothing is known.
    let features = model.stream?.features == .full ? plan.services[model.service].features : []
    self.init(
      name: monitor.name, model: model.name, columns: features.map(\.name) + [Self.predictionColumn],
      windowMilliseconds: monitor.windowMilliseconds,
      tests: monitor.tests.compactMap { entry in
        Drift.DriftTest(name: entry.test.rawValue).map { ($0, entry.threshold) }
      })
    topic = model.outputTopic
    origins = plan.columnOrigins(of: features, source: model.source)
    latenessMilliseconds = source.latenessMilliseconds
    bounds = monitor.performance.map {
      Bound(metric: $0.metric.rawValue, minimum: $0.bounds.minimum, maximum: $0.bounds.maximum)
    }
    switch monitor.reference {
    case .trailing(let windows): reference = .trailing(windows: windows)
    case .earlier(let milliseconds): reference = .earlier(milliseconds: milliseconds)
    case .dataset(let dataset): reference = .given(name: dataset.description)
    }
    if let rate = monitor.falseDiscoveryRate { falseDiscoveryRate = rate }
    if let count = monitor.minimumRowCount { minimumRowCount = count }
    if let count = monitor.resolveAfterWindows { resolveAfterWindows = count }
    segments = monitor.segments.map { source.scope[$0].name }
    knownChanges = monitor.knownChanges.map {
      KnownChange(startMilliseconds: $0.startMilliseconds, endMilliseconds: $0.endMilliseconds, about: $0.about)
    }
    readsDeadLetters = !tests.isEmpty && segments.isEmpty && model.label == nil
    guard let label = model.label else { return }
    self.label = Label(
      withinMilliseconds: label.withinMilliseconds,
      latenessMilliseconds: plan.sources[label.source].latenessMilliseconds, isBinary: label.value.type == .boolean,
      threshold: model.stream?.threshold ?? 0.5)
  }
}

extension Plan {
  /// What the features of a vector are made from, and the prediction from all of them.
  fileprivate func columnOrigins(of features: [ServiceFeaturePlan], source: Int) -> [ColumnOrigin] {
    var origins = features.map { origin($0.origin, source: source) }
    var prediction = ColumnOrigin(fields: [])
    for origin in origins {
      prediction.fields.formUnion(origin.fields)
      prediction.reachMilliseconds = Self.longer(prediction.reachMilliseconds, origin.reachMilliseconds)
    }
    origins.append(prediction)
    return origins
  }

  private static func longer(_ left: Int64?, _ right: Int64?) -> Int64? {
    guard let left, let right else { return nil }
    return max(left, right)
  }

  private func origin(_ value: ValueOrigin, source: Int) -> ColumnOrigin {
    switch value {
    case .request(let field):
      return ColumnOrigin(fields: ["\(sources[source].name).\(requestFields[field].name)"])
    case .feature(let reference):
      let view = views[reference.view]
      var origin = ColumnOrigin(
        fields: fields(of: reference.feature, view), reachMilliseconds: reach(of: reference.feature, view))
      if view.source != source { origin.otherSource = sources[view.source].name }
      return origin
    case .onDemand(let index):
      var merged = ColumnOrigin(fields: [])
      for input in onDemand[index].inputs {
        let part = origin(input, source: source)
        merged.fields.formUnion(part.fields)
        merged.reachMilliseconds = Self.longer(merged.reachMilliseconds, part.reachMilliseconds)
      }
      return merged
    }
  }

  /// How long an event counts for a feature; of one that is computed of others, for the longest of the view.
  private func reach(of feature: Int, _ view: ViewPlan) -> Int64? {
    let features = view.layout.definition.features
    let windows = features.indices.contains(feature) ? [features[feature].window] : features.map(\.window)
    return windows.map { window -> Int64? in
      window.reachMilliseconds.map { reach in
        let sum = reach.addingReportingOverflow(view.latenessMilliseconds)
        return sum.overflow ? .max : sum.partialValue
      }
    }.reduce(0) { Self.longer($0, $1) }
  }

  /// Fields of the source that a feature's argument and filter read, and those that derived columns of them read.
  private func fields(of feature: Int, _ view: ViewPlan) -> Set<String> {
    let definition = view.layout.definition
    let source = sources[view.source]
    let positions: [Int]
    if definition.features.indices.contains(feature) {
      let inputs = [definition.features[feature].argument, definition.features[feature].filter].compactMap(\.self)
      positions = inputs.flatMap { view.inputs[$0].inputs }
    } else {
      positions = view.inputs.flatMap(\.inputs)
    }
    return Set(positions.flatMap { fields(at: $0, source) })
  }

  private func fields(at position: Int, _ source: SourcePlan) -> Set<String> {
    guard position >= source.columns.count else { return ["\(source.name).\(source.scope[position].name)"] }
    let derived = source.derived[position - source.columns.count]
    return Set(derived.expression.inputs.flatMap { $0 < position ? fields(at: $0, source) : [] })
  }
}
