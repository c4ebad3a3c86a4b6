internal import Columns
internal import Core
internal import Expressions
internal import Features

extension PlanBuilder {
  func service(_ declared: ServiceDeclaration) -> ServicePlan? {
    let what = "service `\(declared.name.text)`"
    var features: [ServiceFeaturePlan] = []
    var isComplete = true
    for reference in declared.features {
      guard let expanded = expand(reference, declared.name.text, what) else {
        isComplete = false
        continue
      }
      for name in expanded {
        guard let feature = serviceFeature(name, reference, what) else {
          isComplete = false
          continue
        }
        if features.contains(where: { $0.reference == feature.reference }) {
          log.error(
            at: reference, "\(what) names `\(name)` twice", remedy: "a vector holds each value once: remove one of them"
          )
          continue
        }
        features.append(feature)
      }
    }
    guard isComplete else { return nil }
    giveNames(&features)
    readDefaults(declared, &features, what)
    return finished(declared, features)
  }

  /// `view:*` → every feature of the view, in its order, or what it was when the service was first applied.
  private func expand(_ reference: YAMLScalar, _ service: String, _ what: String) -> [String]? {
    guard reference.text.hasSuffix(":*") else { return [reference.text] }
    let viewName = String(reference.text.dropLast(2))
    guard let index = resolve(viewName, reference, what) else { return nil }
    guard let view = views[index] else { return nil }
    let prefix = "\(viewName):"
    let frozen = (frozenServices[service] ?? []).filter { $0.hasPrefix(prefix) }
    let names = frozen.isEmpty ? view.features.map { prefix + $0.name } : frozen
    let missing = frozen.filter { view.feature(named: String($0.dropFirst(prefix.count))) == nil }
    for name in missing {
      log.error(
        at: reference, "\(what) was applied with `\(name)`, which view `\(viewName)` no longer has",
        remedy: "keep the feature, or make a new version of the service, such as `\(Self.nextVersion(service))`")
    }
    expansions[service, default: []] += names
    return missing.isEmpty ? names : nil
  }

  private func resolve(_ view: String, _ reference: YAMLScalar, _ what: String) -> Int? {
    let names = declaration.views.map(\.name.text)
    if let index = names.firstIndex(of: view) { return index }
    log.error(
      at: reference, "\(what): there is no view `\(view)`", nearest: NearestName.of(view, in: names).map { "\($0):*" })
    return nil
  }

  /// `late_arrival_v1` → `late_arrival_v2`.
  static func nextVersion(_ name: String) -> String {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, name.dropLast(digits.count).hasSuffix("_v"), let number = Int(String(digits.reversed())),
      number < .max
    else { return "\(name)_v2" }
    return "\(name.dropLast(digits.count))\(number + 1)"
  }

  private func serviceFeature(_ name: String, _ reference: YAMLScalar, _ what: String) -> ServiceFeaturePlan? {
    let place = NamePlace(whole: reference)
    if name.contains(":") {
      guard let (origin, type) = qualifiedValue(name, place, what) else { return nil }
      return ServiceFeaturePlan(reference: name, name: "", origin: origin, type: type, defaultValue: .null)
    }
    guard let index = declaration.onDemand.firstIndex(where: { $0.name.text == name }) else {
      let candidates =
        declaration.onDemand.map(\.name.text)
        + views.compactMap(\.self).flatMap { view in view.features.map { "\(view.name):\($0.name)" } }
      let qualified = candidates.first { $0.hasSuffix(":\(name)") }
      log.error(
        at: reference, "\(what): there is no on-demand feature `\(reference.shortText)`",
        expected: "`view:feature`, `view:*`, `request:field` or the name of an on-demand feature",
        nearest: qualified ?? NearestName.of(name, in: candidates))
      return nil
    }
    guard let plan = onDemand[index] else { return nil }
    return ServiceFeaturePlan(
      reference: name, name: "", origin: .onDemand(index), type: FeatureType(plan.expression.type), defaultValue: .null)
  }

  /// Short names where they are unique, else `view__feature`, as Feast writes full names.
  private func giveNames(_ features: inout [ServiceFeaturePlan]) {
    func short(_ reference: String) -> String {
      reference.split(separator: ":", maxSplits: 1).last.map(String.init) ?? reference
    }
    var counts: [String: Int] = [:]
    for feature in features { counts[short(feature.reference), default: 0] += 1 }
    for index in features.indices {
      let name = short(features[index].reference)
      features[index].name =
        counts[name] == 1 ? name : features[index].reference.split(separator: ":").joined(separator: "__")
    }
  }

  private func readDefaults(_ declared: ServiceDeclaration, _ features: inout [ServiceFeaturePlan], _ what: String) {
    for entry in declared.defaults {
      let matches = features.indices.filter {
        features[$0].name == entry.feature.text || features[$0].reference == entry.feature.text
      }
      guard let index = matches.first else {
        let names = features.map(\.name)
        log.error(
          at: entry.feature, "\(what) has no feature `\(entry.feature.shortText)` for this default",
          nearest: NearestName.of(entry.feature.text, in: names + features.map(\.reference)))
        continue
      }
      let feature = features[index]
      guard let type = feature.type.scalar, case .scalar(let scalar) = entry.value.content,
        let value = Self.literal(scalar, type)
      else {
        log.error(
          at: entry.value.position, length: entry.value.shownLength, "the default of `\(feature.name)` does not fit",
          found: entry.value.kindName, expected: "a value of type \(feature.type.text)")
        continue
      }
      features[index].defaultValue = value
    }
  }

  /// A value of this type as a file writes it.
  private static func literal(_ scalar: YAMLScalar, _ type: ColumnType) -> Value? {
    switch type {
    case .boolean: return scalar.text == "true" ? .boolean(true) : scalar.text == "false" ? .boolean(false) : nil
    case .integer: return Int64(scalar.text).map(Value.integer)
    case .double: return Double(scalar.text).flatMap { $0.isFinite ? .double($0) : nil }
    case .string: return scalar.isNull ? nil : .string(scalar.text)
    case .decimal, .bytes, .timestamp, .date: return nil
    }
  }

  private func finished(_ declared: ServiceDeclaration, _ features: [ServiceFeaturePlan]) -> ServicePlan {
    var usedViews: Set<Int> = []
    var usedFields: Set<Int> = []
    func use(_ origin: ValueOrigin) {
      switch origin {
      case .feature(let reference): usedViews.insert(reference.view)
      case .request(let field): usedFields.insert(field)
      case .onDemand(let index): onDemand[index]?.inputs.forEach(use)
      }
    }
    var builder = FingerprintBuilder("service")
    for feature in features {
      use(feature.origin)
      builder.add(feature.reference)
      builder.add(feature.type.text)
      builder.add(meaning(of: feature.origin))
      builder.add(PlanReport.text(feature.defaultValue))
    }
    var joinKeys: [String] = []
    for index in usedViews.sorted() {
      guard let view = views[index] else { continue }
      for key in entities[view.entity].keys where !joinKeys.contains(key) { joinKeys.append(key) }
    }
    return ServicePlan(
      name: declared.name.text, about: declared.about, tenant: declared.tenant?.text, features: features,
      views: usedViews.sorted(),
      joinKeys: joinKeys, requestFields: usedFields.sorted(), fingerprint: builder.fingerprint)
  }
}
