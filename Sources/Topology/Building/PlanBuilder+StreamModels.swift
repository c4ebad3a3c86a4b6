internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import Inference

// Models that run in the stream: their files, and where each value of their vector comes from.

extension PlanBuilder {
  /// Marks what models, their labels and their monitors read of events, before sources are finished.
  func needModelInputs() {
    for declared in declaration.models {
      needLabel(of: declared)
      for monitor in declaration.monitors where monitor.model?.text == declared.name.text {
        guard let source = sourceIndex(declared.each) else { continue }
        for segment in monitor.segments { sources[source]?.need(segment.text) }
      }
      guard let source = sourceIndex(declared.each), let name = declared.service?.text,
        let service = declaration.services.first(where: { $0.name.text == name })
      else { continue }
      for reference in service.features { need(reference.text, of: source) }
    }
  }

  private func sourceIndex(_ name: YAMLScalar?) -> Int? {
    name.flatMap { name in declaration.sources.firstIndex { $0.name.text == name.text } }
  }

  /// What finds the label of an event, on both sides, and what says it.
  private func needLabel(of declared: ModelDeclaration) {
    guard let label = declared.label, let labelled = sourceIndex(label.source) else { return }
    for source in [labelled, sourceIndex(declared.each)].compactMap(\.self) {
      sources[source]?.need(label.match.text)
    }
    // What is no expression is reported where the label is built.
    if let parsed = try? ParsedExpression(label.value.text) { sources[labelled]?.need(parsed) }
  }

  /// A name of a service or of an on-demand feature: request fields, and the join keys of views.
  private func need(_ reference: String, of source: Int) {
    let parts = reference.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2, parts[0] != "request" {
      guard let view = declaration.views.first(where: { $0.name.text == parts[0] }),
        let entity = declaration.entities.first(where: { $0.name.text == view.entity?.text })
      else { return }
      for key in entity.keys { sources[source]?.need(key.text) }
      return
    }
    guard parts.count == 1, let index = declaration.onDemand.firstIndex(where: { $0.name.text == reference }) else {
      if let name = parts.last { sources[source]?.need(name) }
      return
    }
    guard let parsed = try? ParsedExpression(declaration.onDemand[index].text.text) else { return }
    // It reads on-demand features above itself only, or that is reported where it stands.
    let above = Set(declaration.onDemand[..<index].map(\.name.text))
    for name in parsed.names where name.name.contains(":") || above.contains(name.name) || !isOnDemand(name.name) {
      need(name.name, of: source)
    }
  }

  private func isOnDemand(_ name: String) -> Bool { declaration.onDemand.contains { $0.name.text == name } }

  /// The file of a model, read and checked against its service, or as an applied plan has it.
  func modelFile(_ scalar: YAMLScalar, _ declared: ModelDeclaration, _ what: String) -> ModelFile? {
    if let recorded = modelFiles.recorded(declared.name.text) { return recorded }
    do throws(HeadraceError) {
      var loaded = try modelFiles.load(scalar.text)
      if let name = declared.service?.text,
        let index = declaration.services.firstIndex(where: { $0.name.text == name }),
        let service = services[index]
      {
        checkVector(loaded.model, service, scalar, what)
      }
      if let weights = declared.weights, weights.value != .float32 {
        guard loaded.model.hasWeights else {
          log.error(
            at: weights.scalar, "`weights` of \(what) change nothing: its file has no dense layer",
            found: loaded.model.summary, remedy: "remove it: trees have no weights")
          return nil
        }
        // What they cost is part of what people are told of the file.
        let compiled = try CompiledModel(loaded.model, options: CompileOptions(weights: weights.value))
        if let error = compiled.quantizationError { loaded.file.summary += "; \(error)" }
      }
      return loaded.file
    } catch {
      log.error(
        at: scalar, "`file` of \(what): \(error.message)", found: error.place.map { "`\($0)`" }, remedy: error.remedy)
      return nil
    }
  }

  /// The columns that the model was trained on are the service's features, in number and, where it has them, by name.
  private func checkVector(_ model: Model, _ service: ServicePlan, _ scalar: YAMLScalar, _ what: String) {
    guard let problem = service.problem(featureCount: model.featureCount, names: model.featureNames) else { return }
    switch problem {
    case .count(let count, let features):
      log.error(
        at: scalar, "\(what) was trained on other features than service `\(service.name)` gives",
        found: "\(count) features in the file", expected: "\(features.count): \(Self.list(features))",
        remedy: "train it on a dataset of the service, or name the service that it was trained on")
    case .column(let index, let found, let expected):
      log.error(
        at: scalar, "\(what): column \(index) of the file is not that of service `\(service.name)`",
        found: "`\(found)`", expected: "`\(expected)`",
        remedy: "a vector is ordered: train it on the service's features in their order")
    }
  }

  /// - Parameter file: nil for a model of the registry.
  func streamModel(
    _ file: ModelFile?, _ declared: ModelDeclaration, _ service: ServicePlan, of source: Int, _ what: String
  ) -> StreamModelPlan? {
    guard let plan = sources[source]?.plan, let place = declared.service ?? declared.each else { return nil }
    guard areNumbers(service, place, what) else { return nil }
    if let threshold = declared.threshold, let file, file.outputCount != 1 {
      log.error(
        at: threshold.scalar, "\(what) has \(file.outputCount) scores for each event, and a threshold is for one",
        remedy: "remove it: the label is the position of the largest score")
      return nil
    }
    var remote: RemoteModelPlan?
    if let declaredRemote = declared.remote {
      remote = remoteModel(declaredRemote, declared, service, what)
      if remote == nil { return nil }
    }
    var keyColumns: [[Int]] = []
    for view in service.views {
      guard let columns = self.keyColumns(ofView: view, in: plan, declared, what) else { return nil }
      keyColumns.append(columns)
    }
    var requestColumns: [Int] = []
    for field in service.requestFields.map({ requestFields[$0] }) {
      // What is missing was reported.
      guard let column = plan.scope.firstIndex(where: { $0.name == field.name && $0.type == field.type }) else {
        return nil
      }
      requestColumns.append(column)
    }
    guard fitLocalVersions(declared, what) else { return nil }
    guard let fallbacks = fallbacks(declared, what), let output = declared.output?.text else { return nil }
    return StreamModelPlan(
      file: file, remote: remote, shadowTopic: declared.shadow?.output?.text ?? "\(output).shadow",
      fallbacks: fallbacks,
      threshold: declared.threshold?.value, timeoutMilliseconds: declared.timeout?.value,
      batchRowsMax: declared.maxBatch?.value, weights: declared.weights?.value ?? .float32,
      format: declared.format?.value ?? .json,
      features: declared.features?.value ?? .hash, requestColumns: requestColumns, keyColumns: keyColumns)
  }

  /// Whether what is said of versions that this process scores itself is said where there are some.
  private func fitLocalVersions(_ declared: ModelDeclaration, _ what: String) -> Bool {
    let settings = [
      (declared.timeout?.scalar, "timeout", "an endpoint has its own: `timeout` and `batch_timeout` under `remote`"),
      (declared.maxBatch?.scalar, "max_batch", "an endpoint has its own: `max_batch` under `remote`"),
      (declared.weights?.scalar, "weights", "remove it: an endpoint keeps its weights as it likes"),
    ]
    if declared.remote != nil {
      for case (let scalar?, let key, let remedy) in settings {
        log.error(at: scalar, "`\(key)` of \(what) is for versions that this process scores itself", remedy: remedy)
        return false
      }
    }
    if let timeout = declared.timeout, timeout.value <= 0 {
      log.error(at: timeout.scalar, "`timeout` of \(what) leaves no time", expected: "at least `1ms`")
      return false
    }
    return true
  }

  private func fallbacks(_ declared: ModelDeclaration, _ what: String) -> [ModelFallback]? {
    var found: [ModelFallback] = []
    for scalar in declared.fallback {
      if let constant = Double(scalar.text) {
        guard constant.isFinite else {
          log.error(at: scalar, "`fallback` of \(what) is no finite number", found: "`\(scalar.shortText)`")
          return nil
        }
        found.append(.constant(constant))
      } else {
        guard let reference = modelReference(scalar, "`fallback` of \(what)") else { return nil }
        found.append(.model(reference))
      }
    }
    if let last = declared.fallback.dropLast().first(where: { Double($0.text) != nil }) {
      log.error(
        at: last, "`fallback` of \(what): a number never fails, so that nothing behind it is ever asked",
        remedy: "let it be the last")
      return nil
    }
    return found
  }

  /// Where the join keys of a view are in the model's events.
  private func keyColumns(
    ofView index: Int, in plan: SourcePlan, _ declared: ModelDeclaration, _ what: String
  ) -> [Int]? {
    guard let view = views[index], let each = declared.each else { return nil }
    let entity = entities[view.entity]
    var columns: [Int] = []
    for (position, key) in entity.keys.enumerated() {
      let column = plan.scope.firstIndex { $0.name == key }
      let type = column.map { plan.scope[$0].type }
      guard let column, position >= entity.types.count || type == entity.types[position] else {
        log.error(
          at: each,
          "\(what) reads view `\(view.name)`, and events of `\(plan.name)` do not say of which "
            + "`\(entity.name)`", found: type.map { "`\(key)` is \($0)" } ?? "no field `\(key)`",
          expected: "the join keys \(Self.list(entity.keys)), as the view's source has them")
        return nil
      }
      columns.append(column)
    }
    return columns
  }

  /// Models take numbers; what is computed on the way takes what a row of numbers holds.
  private func areNumbers(_ service: ServicePlan, _ place: YAMLScalar, _ what: String) -> Bool {
    for feature in service.features where !Self.isNumber(feature.type) {
      log.error(
        at: place, "\(what): models take numbers, and feature `\(feature.name)` of service `\(service.name)` is none",
        found: feature.type.text, remedy: "compare it, or leave it out of the service")
      return false
    }
    var waiting = service.features.map(\.origin)
    while let origin = waiting.popLast() {
      guard case .onDemand(let index) = origin, let plan = onDemand[index] else { continue }
      waiting += plan.inputs
      for case .feature(let reference) in plan.inputs {
        guard let view = views[reference.view] else { continue }
        let feature = view.features[reference.feature]
        guard !Self.isExactAsDouble(feature.type) else { continue }
        log.error(
          at: place,
          "\(what): `\(plan.name)` reads `\(view.name):\(feature.name)`, which is not available in the stream "
            + "yet", found: feature.type.text, expected: "a double, integer, boolean, timestamp or date")
        return false
      }
    }
    return true
  }

  private static func isNumber(_ type: FeatureType) -> Bool {
    if case .decimal? = type.scalar { return true }
    return isExactAsDouble(type)
  }

  private static func isExactAsDouble(_ type: FeatureType) -> Bool {
    switch type.scalar {
    case .boolean, .integer, .double, .timestamp, .date: true
    case .decimal, .string, .bytes, nil: false
    }
  }
}
