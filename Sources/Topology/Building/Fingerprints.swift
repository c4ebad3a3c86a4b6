internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import Inference

// What is hashed is the normal form of a definition, by name and not by position, so that neither the order of the file
// nor an unrelated change moves a fingerprint. Every line here is part of stored data: adding one rebuilds state.

extension SourcePlan {
  /// The text of an expression, and of every derived column that it reads, whatever these are named elsewhere.
  func canonicalTexts(_ expression: Expression) -> [String] {
    var texts = [expression.canonicalText]
    for position in expression.inputs.sorted() where position >= columns.count && position < scope.count {
      let column = derived[position - columns.count]
      texts.append("\(column.name) = \(canonicalTexts(column.expression).joined(separator: "; "))")
    }
    return texts
  }

  /// Which records count, and what they are: not how long one waits for them.
  func addIdentity(to builder: inout FingerprintBuilder) {
    builder.add(topic)
    builder.add(format.rawValue)
    builder.add(scope[eventTime.column].name)
    builder.add(eventTime.unit.rawValue)
    builder.add(dedupe.map { scope[$0.column].name })
    builder.add(filter.map(canonicalTexts) ?? [])
  }

  /// Also where the records of a key are, and for how long one waits.
  func addProcessing(to builder: inout FingerprintBuilder) {
    addIdentity(to: &builder)
    builder.add(key.map { scope[$0].name })
    builder.add(partitioner?.rawValue)
    builder.add(dedupe?.withinMilliseconds)
    // Of an archived source the types of all fields are checked: other records are valid.
    builder.add(isArchived ? "all fields" : "needed fields")
  }

  var computedFingerprint: Fingerprint {
    var builder = FingerprintBuilder("source")
    addProcessing(to: &builder)
    builder.add(latenessMilliseconds)
    for column in derived {
      builder.add(column.name)
      builder.add(canonicalTexts(column.expression))
    }
    return builder.fingerprint
  }
}

extension ViewPlan {
  func computedFingerprint(_ source: SourcePlan, _ entity: EntityPlan) -> Fingerprint {
    var builder = FingerprintBuilder("view")
    // Two views of the same definition have rows of their own.
    builder.add(name)
    source.addProcessing(to: &builder)
    addKey(source, entity, to: &builder)
    builder.add(latenessMilliseconds)
    builder.add(filter.map(source.canonicalTexts) ?? [])
    // The layout's fingerprint does not depend on the order of features, so this must not either.
    builder.add(Set(inputs.flatMap(source.canonicalTexts)).sorted())
    builder.add("\(layout.fingerprint)")
    return builder.fingerprint
  }

  /// Gives every feature the fingerprint of its meaning. Lateness is none of it: waiting longer is not another feature.
  mutating func fingerprintFeatures(_ source: SourcePlan, _ entity: EntityPlan, _ assembly: ViewAssembly) {
    for index in features.indices {
      var builder = FingerprintBuilder("feature")
      if index < assembly.definitions.count {
        source.addIdentity(to: &builder)
        addKey(source, entity, to: &builder)
        builder.add(filter.map(source.canonicalTexts) ?? [])
        let feature = assembly.definitions[index]
        for input in [feature.argument, feature.filter].compactMap(\.self) {
          builder.add(source.canonicalTexts(inputs[input]))
        }
      } else {
        let derived = assembly.derived[index - assembly.definitions.count]
        for input in derived.expression.inputs.sorted() { builder.add(features[input].fingerprint) }
      }
      builder.add(features[index].canonicalText)
      builder.add(features[index].type.text)
      builder.add(ttlMilliseconds)
      features[index].fingerprint = builder.fingerprint
    }
  }

  private func addKey(_ source: SourcePlan, _ entity: EntityPlan, to builder: inout FingerprintBuilder) {
    builder.add(entity.keys)
    for (key, column) in zip(entity.keys, keyColumns) {
      builder.add("\(source.scope[column].type)")
      let position = column - source.columns.count
      if position >= 0 {
        builder.add("\(key) = \(source.canonicalTexts(source.derived[position].expression).joined(separator: "; "))")
      }
    }
  }
}

extension Plan {
  var computedFingerprint: Fingerprint {
    var builder = FingerprintBuilder("plan")
    builder.add(name)
    for source in sources.sorted(by: { $0.name < $1.name }) {
      builder.add(source.name)
      builder.add(source.fingerprint)
      builder.add(source.maxSkewMilliseconds)
      builder.add("\(source.contract.fingerprint)")
    }
    for view in views.sorted(by: { $0.name < $1.name }) {
      builder.add(view.name)
      builder.add(view.fingerprint)
      builder.add(view.ttlMilliseconds)
      if view.history != .off { builder.add("history \(view.history.rawValue)") }
      for feature in view.features.sorted(by: { $0.name < $1.name }) {
        builder.add(feature.name)
        builder.add(feature.canonicalText)
      }
    }
    for feature in onDemand.sorted(by: { $0.name < $1.name }) {
      builder.add(feature.name)
      builder.add(feature.fingerprint)
    }
    for service in services.sorted(by: { $0.name < $1.name }) {
      builder.add(service.name)
      builder.add(service.fingerprint)
    }
    for text in modelTexts { builder.add(text) }
    // Another plan to apply, and nothing that state depends on.
    for text in tenantTexts { builder.add(text) }
    return builder.fingerprint
  }

  /// Who pays for what, one line for each that says so.
  var tenantTexts: [String] {
    let ofSources = sources.compactMap { source in
      source.tenant.map { ("source `\(source.name)`", $0.text(source)) }
    }
    let named =
      views.map { ("view `\($0.name)`", $0.tenant) } + services.map { ("service `\($0.name)`", $0.tenant) }
      + models.map { ("model `\($0.name)`", $0.tenant) } + [("the topology", tenant)]
    return (ofSources + named.compactMap { what, tenant in tenant.map { (what, $0) } }).map {
      "\($0.0): tenant \($0.1)"
    }
    .sorted()
  }

  /// One line for each model, monitor and policy: what is compared in a diff.
  var modelTexts: [String] {
    (models.map { text($0, isCanonical: true) } + monitors.map(text) + policies.map(text)).sorted()
  }

  /// What is declared and does not run, for people, in the order of the file.
  var idleDescriptions: [String] {
    models.filter { $0.stream == nil }.map { text($0, isCanonical: false) }
      + monitors.filter { models[$0.model].stream == nil }.map(text)
  }

  /// The policies; all of them run.
  var policyDescriptions: [String] { policies.map(text) }

  /// The monitors that run, each with what it cannot see.
  var monitorDescriptions: [String] {
    monitors.filter { models[$0.model].stream != nil }.map { monitor in
      let model = models[monitor.model]
      guard let stream = model.stream, stream.features != .full, !monitor.tests.isEmpty else { return text(monitor) }
      return text(monitor)
        + "; features are not watched: predictions of \(model.name) carry `features: \(stream.features.rawValue)`, "
        + "write `features: full`"
    }
  }

  private func text(_ model: ModelPlan, isCanonical: Bool) -> String {
    var text = "model \(model.name): service \(services[model.service].name), each \(sources[model.source].name), "
    text += "output \(model.outputTopic)"
    if let use = model.use { text += ", use \(use)" }
    if let stream = model.stream {
      // The version is the content, wherever it lies.
      if let file = stream.file { text += isCanonical ? ", version \(file.contentHash)" : ", file \(file.path)" }
      if let remote = stream.remote { text += ", remote \(isCanonical ? remote.canonicalText : remote.text)" }
      if let threshold = stream.threshold { text += ", threshold \(threshold)" }
      text += ", \(stream.format.rawValue) with \(stream.features.rawValue) features"
      if let timeout = stream.timeoutMilliseconds { text += ", timeout \(DurationLiteral.text(timeout))" }
      if let rows = stream.batchRowsMax { text += ", max_batch \(rows)" }
      // The weights as the file has them are what every plan had before there was a choice.
      if stream.weights != .float32 { text += ", weights \(stream.weights.rawValue)" }
    }
    if let shadow = model.shadow { text += ", shadow \(shadow)" }
    if let stream = model.stream {
      if stream.shadowTopic != "\(model.outputTopic).shadow" { text += " to \(stream.shadowTopic)" }
      if !stream.fallbacks.isEmpty {
        text += ", fallback \(stream.fallbacks.map(\.description).joined(separator: " "))"
      }
    }
    if let requests = model.requests {
      text += ", requests from \(requests.topic) to \([requests.responseTopic] + requests.replyTopics)"
      if let within = requests.withinMilliseconds { text += " within \(DurationLiteral.text(within))" }
    }
    if model.isArchived { text += ", archived" }
    if let label = model.label {
      let source = sources[label.source]
      let value = isCanonical ? source.canonicalTexts(label.value).joined(separator: "; ") : label.text
      text += ", label \(value) of \(source.name) by "
      text += "\(source.scope[label.labelMatchColumn].name) within \(DurationLiteral.text(label.withinMilliseconds))"
    }
    return text
  }

  private func text(_ monitor: MonitorPlan) -> String {
    let tests = monitor.tests.map { "\($0.test.rawValue) \($0.threshold)" }
    let performance = monitor.performance.map { "\($0.metric.rawValue) \($0.bounds.text)" }
    let source = sources[models[monitor.model].source]
    var more = monitor.segments.map { "by \(source.scope[$0].name)" }
    switch monitor.reference {
    case .trailing(let windows): if windows != 7 { more.append("against \(windows) windows") }
    case .earlier(let time): more.append("against \(DurationLiteral.text(time)) earlier")
    case .dataset(let dataset): more.append("against dataset \(dataset)")
    }
    if let rate = monitor.falseDiscoveryRate { more.append("false discovery rate \(rate)") }
    if let windows = monitor.resolveAfterWindows { more.append("resolved after \(windows) windows") }
    if let rows = monitor.minimumRowCount { more.append("at least \(rows) rows") }
    more += monitor.knownChanges.map { "\($0.about) from \($0.startMilliseconds) to \($0.endMilliseconds)" }
    return "monitor \(monitor.name): model \(models[monitor.model].name), window "
      + "\(DurationLiteral.text(monitor.windowMilliseconds)), \((tests + performance + more).joined(separator: ", "))"
  }
}

extension SourceTenant {
  func text(_ source: SourcePlan) -> String {
    switch self {
    case .name(let name): name
    case .field(let column): "by \(source.scope[column].name)"
    }
  }
}

extension MetricBounds {
  var text: String {
    [minimum.map { "min \($0)" }, maximum.map { "max \($0)" }].compactMap(\.self).joined(separator: " ")
  }
}
