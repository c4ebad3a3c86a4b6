internal import Columns
internal import Core
internal import Expressions
internal import Features

extension PlanBuilder {
  /// Types one view over its source's scope and lays out its state.
  func view(_ draft: ViewDraft) -> ViewPlan? {
    let declared = draft.declaration
    let what = "view `\(declared.name.text)`"
    guard let scope = sources[draft.source]?.scope?.fields else { return nil }
    var isComplete = true
    var filter: Expression?
    if let text = draft.filter {
      if isKnown(text.parsed, in: scope) { filter = condition(text.parsed, in: scope, text.text, "filter of \(what)") }
      isComplete = filter != nil
    }
    let keyColumns = keyColumns(draft, scope)
    var assembly = ViewAssembly(scope: scope)
    for feature in draft.features {
      guard case .aggregate(let parsed) = feature.shape else { continue }
      if !add(parsed, of: feature, to: &assembly) { isComplete = false }
    }
    for feature in draft.features {
      guard case .derived(let parsed) = feature.shape else { continue }
      if !add(derived: parsed, of: feature, to: &assembly, what) { isComplete = false }
    }
    guard isComplete, let keyColumns, draft.features.count == declared.features.count else { return nil }
    guard !assembly.definitions.isEmpty else {
      log.error(
        at: declared.name, "\(what) has no aggregate", remedy: "add a feature such as `events: count over 1h, 24h`")
      return nil
    }
    checkTimes(draft, assembly)
    guard let source = sources[draft.source]?.plan, let entity = draft.entity else { return nil }
    return plan(draft, source, entity, assembly, keyColumns: keyColumns, filter: filter)
  }

  private func plan(
    _ draft: ViewDraft, _ source: SourcePlan, _ entityIndex: Int, _ assembly: ViewAssembly, keyColumns: [Int],
    filter: Expression?
  ) -> ViewPlan? {
    let declared = draft.declaration
    let lateness = declared.lateness?.value ?? source.latenessMilliseconds
    let definition = ViewDefinition(
      name: declared.name.text, inputs: assembly.viewInputs, features: assembly.definitions,
      derived: assembly.derived, latenessMilliseconds: lateness, ttlMilliseconds: declared.ttl?.value)
    let layout: ViewLayout
    do throws(HeadraceError) {
      layout = try ViewLayout(definition)
    } catch {
      let name = error.place.flatMap { $0.split(separator: ":").last.map(String.init) }
      let feature = draft.features.first { feature in
        name == feature.name.text || name?.hasPrefix("\(feature.name.text)_") == true
      }
      let what = feature.map { "feature `\($0.name.text)`" } ?? "view `\(declared.name.text)`"
      log.error(at: feature?.text ?? declared.name, "\(what): \(error.message)", remedy: error.remedy)
      return nil
    }
    let entity = entities[entityIndex]
    let isCopartitioned =
      source.partitioner != nil && entity.keys == [source.key.map { source.scope[$0].name }].compactMap(\.self)
    var plan = ViewPlan(
      name: declared.name.text, about: declared.about, tenant: declared.tenant?.text, source: draft.source,
      entity: entityIndex,
      keyColumns: keyColumns, inputs: assembly.inputs, filter: filter,
      filterText: declared.filter?.oneLine, layout: layout, features: assembly.features,
      latenessMilliseconds: lateness, ttlMilliseconds: declared.ttl?.value,
      repartitionTopic: isCopartitioned ? nil : "\(declaration.name.text).\(declared.name.text).repartition",
      fingerprint: Fingerprint(value: 0))
    plan.fingerprint = plan.computedFingerprint(source, entity)
    plan.fingerprintFeatures(source, entity, assembly)
    guard let history = declared.history else { return plan }
    plan.history = history.value
    return checkHistory(plan, entity, at: history.scalar) ? plan : nil
  }

  private func keyColumns(_ draft: ViewDraft, _ scope: [ExpressionField]) -> [Int]? {
    guard let entity = draft.entity else { return nil }
    let source = declaration.sources[draft.source].name.text
    var columns: [Int] = []
    for key in declaration.entities[entity].keys {
      guard let column = scope.firstIndex(where: { $0.name == key.text }) else { return nil }
      columns.append(column)
    }
    let types = columns.map { scope[$0].type }
    let place = draft.declaration.entity ?? draft.declaration.name
    for (column, type) in zip(columns, types) {
      switch type {
      case .string, .integer, .boolean, .date, .timestamp: break
      default:
        log.error(
          at: place, "`\(scope[column].name)` cannot be a join key", found: "\(type)",
          expected: "a text, an integer, a boolean, a date or a timestamp",
          remedy: "derive a text of it in source `\(source)`")
        return nil
      }
    }
    let known = entities[entity].types
    guard known.isEmpty || known == types else {
      log.error(
        at: place, "entity `\(entities[entity].name)` has other key types in source `\(source)`",
        found: types.map(\.description).joined(separator: ", "),
        expected: "\(known.map(\.description).joined(separator: ", ")), as in the views above",
        remedy: "one entity has one key: derive a column of the same type")
      return nil
    }
    entities[entity].types = types
    return columns
  }

  private func add(_ parsed: ParsedFeature, of feature: FeatureDraft, to assembly: inout ViewAssembly) -> Bool {
    let what = "feature `\(feature.name.text)`"
    for expression in [parsed.argument, parsed.filter].compactMap(\.self)
    where !isKnown(expression, in: assembly.scope) {
      return false
    }
    var argument: (position: Int, type: ColumnType)?
    if let text = parsed.argument {
      guard let expression = typed(text, in: assembly.scope, feature.text, what) else { return false }
      argument = (assembly.input(expression), expression.type)
    }
    var filter: Int?
    if let text = parsed.filter {
      guard let expression = condition(text, in: assembly.scope, feature.text, "the `where` of \(what)") else {
        return false
      }
      filter = assembly.input(expression)
    }
    guard let type = parsed.function.resultType(argument: argument?.type) else {
      log.error(
        at: feature.text, "\(what): `\(parsed.function.keyword)` cannot take this argument",
        found: argument.map { "a \($0.type)" } ?? "no argument",
        expected: argument == nil ? "an expression in parentheses" : "a number or a boolean",
        remedy: argument?.type == .string ? "`count_distinct`, `topk`, `first` and `last` take texts" : nil)
      return false
    }
    var isComplete = true
    for window in parsed.windows {
      let name = "\(feature.name.text)_\(window.nameSuffix)"
      guard assembly.isFree(name) else {
        reportSecondFeature(name, feature)
        isComplete = false
        continue
      }
      let definition = FeatureDefinition(
        name: name, function: parsed.function, argument: argument?.position, filter: filter, window: window)
      assembly.add(definition, type: type, text: feature.text.oneLine)
    }
    return isComplete
  }

  private func add(
    derived parsed: ParsedExpression, of feature: FeatureDraft, to assembly: inout ViewAssembly, _ what: String
  ) -> Bool {
    let place = "derived feature `\(feature.name.text)`"
    guard assembly.isFree(feature.name.text) else {
      reportSecondFeature(feature.name.text, feature)
      return false
    }
    var isComplete = true
    for name in parsed.names where assembly.aggregateScope.allSatisfy({ $0.name != name.name }) {
      isComplete = false
      let names = assembly.features.map(\.name)
      let windows = names.filter { $0.hasPrefix(name.name + "_") }
      let nearest = windows.isEmpty ? NearestName.of(name.name, in: names) : nil
      let choice =
        windows.isEmpty ? "one of \(Self.list(names))" : "one of \(Self.list(windows)): the window is part of the name"
      let isField = assembly.scope.contains { $0.name == name.name }
      log.error(
        in: feature.text, utf8Offset: name.offset, utf8Length: name.name.utf8.count,
        "\(place): \(what) has no feature `\(name.name)`",
        expected: nearest == nil && !names.isEmpty ? choice : nil, nearest: nearest,
        remedy: isField
          ? "it is a field of the events: put an aggregate around it, such as `mean(\(name.name)) over 1h`" : nil)
    }
    for name in parsed.names where assembly.features.contains(where: { $0.name == name.name && $0.type.isList }) {
      isComplete = false
      log.error(
        in: feature.text, utf8Offset: name.offset, utf8Length: name.name.utf8.count,
        "\(place): `\(name.name)` is a list, which expressions do not read", remedy: "ask for it by itself")
    }
    guard isComplete, let expression = typed(parsed, in: assembly.aggregateScope, feature.text, place) else {
      return false
    }
    assembly.add(DerivedFeature(name: feature.name.text, expression: expression), text: feature.text.oneLine)
    return true
  }

  private func reportSecondFeature(_ name: String, _ feature: FeatureDraft) {
    log.error(
      at: feature.name, "there are two features `\(name)` in this view",
      remedy: "a feature's name and its window make the name together: choose another one")
  }

  private func checkTimes(_ draft: ViewDraft, _ assembly: ViewAssembly) {
    let declared = draft.declaration
    let source = sources[draft.source]?.declaration
    if let lateness = declared.lateness, let dedupe = source?.dedupe, dedupe.within.value < lateness.value {
      log.error(
        at: lateness.scalar, "view `\(declared.name.text)` waits longer than its source remembers ids",
        found: "`\(lateness.scalar.text)`", expected: "at most `dedupe: {within: \(dedupe.within.scalar.text)}`",
        remedy: "a duplicate that comes late would count twice: raise `within`, or lower `lateness`")
    }
    guard let ttl = declared.ttl else { return }
    let longest = assembly.definitions.compactMap(\.window.lengthMilliseconds).max() ?? 0
    if ttl.value < longest {
      log.warning(
        at: ttl.scalar.position, length: ttl.scalar.shownLength,
        "`ttl` of view `\(declared.name.text)` is shorter than its longest window, \(DurationLiteral.text(longest))",
        remedy: "a key that is quiet for \(ttl.scalar.text) reads null while its window still holds events")
    }
  }
}
