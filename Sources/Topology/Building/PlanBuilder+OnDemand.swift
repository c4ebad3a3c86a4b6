internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features

extension PlanBuilder {
  /// Request fields, on-demand features and services: what is put together when somebody asks.
  func buildServing() {
    for field in declaration.request {
      guard let type = ColumnType(name: field.type.text) else {
        log.error(
          at: field.type, "`\(field.type.shortText)` is no type of a request field",
          expected: "one of \(Self.list(ColumnType.names))",
          nearest: NearestName.of(field.type.text, in: ColumnType.names))
        continue
      }
      requestFields.append(RequestFieldPlan(name: field.name.text, type: type))
    }
    for (index, declared) in declaration.onDemand.enumerated() {
      reportSecond(declared.name, index, declaration.onDemand.map(\.name), "on-demand feature")
      onDemand.append(onDemandPlan(declared))
    }
    for (index, declared) in declaration.services.enumerated() {
      reportSecond(declared.name, index, declaration.services.map(\.name), "service")
      services.append(service(declared))
    }
  }

  private func onDemandPlan(_ declared: NamedText) -> OnDemandPlan? {
    let what = "on-demand feature `\(declared.name.text)`"
    guard let parsed = parse(declared.text, what) else { return nil }
    var scope: [ExpressionField] = []
    var inputs: [ValueOrigin] = []
    var isComplete = true
    for name in parsed.names where !scope.contains(where: { $0.name == name.name }) {
      guard let (origin, type) = value(named: name.name, in: declared.text, at: name.offset, what) else {
        isComplete = false
        continue
      }
      guard let scalar = type.scalar else {
        log.error(
          in: declared.text, utf8Offset: name.offset, utf8Length: name.name.utf8.count,
          "\(what): `\(name.name)` is a \(type.text), which expressions do not read", remedy: "ask for it by itself")
        isComplete = false
        continue
      }
      scope.append(ExpressionField(name: name.name, type: scalar))
      inputs.append(origin)
    }
    guard isComplete, let expression = typed(parsed, in: scope, declared.text, what) else { return nil }
    var builder = FingerprintBuilder("on-demand")
    builder.add(expression.canonicalText)
    for input in inputs { builder.add(meaning(of: input)) }
    return OnDemandPlan(
      name: declared.name.text, text: declared.text.oneLine, expression: expression, inputs: inputs,
      fingerprint: builder.fingerprint)
  }

  /// A name in an on-demand expression: `view:feature`, `request:field`, an on-demand feature above, or the bare name
  /// of a request field.
  private func value(
    named name: String, in scalar: YAMLScalar, at offset: Int, _ what: String
  ) -> (ValueOrigin, FeatureType)? {
    let place = NamePlace(scalar: scalar, utf8Offset: offset, utf8Length: name.utf8.count)
    if name.contains(":") { return qualifiedValue(name, place, what) }
    if let index = declaration.onDemand.firstIndex(where: { $0.name.text == name }) {
      guard index < onDemand.count else {
        report(place, "\(what): `\(name)` is an on-demand feature further down", remedy: "move it above this one")
        return nil
      }
      return onDemand[index].map { (.onDemand(index), FeatureType($0.expression.type)) }
    }
    return requestValue(name, place, what)
  }

  /// `view:feature` or `request:field`.
  func qualifiedValue(_ name: String, _ place: NamePlace, _ what: String) -> (ValueOrigin, FeatureType)? {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return nil }
    if parts[0] == "request" { return requestValue(parts[1], place, what) }
    let names = declaration.views.map(\.name.text)
    guard let index = names.firstIndex(of: parts[0]) else {
      report(
        place, "\(what): there is no view `\(parts[0])`",
        nearest: NearestName.of(parts[0], in: names).map { "\($0):\(parts[1])" })
      return nil
    }
    guard let view = views[index] else { return nil }
    if let feature = view.feature(named: parts[1]) {
      return (.feature(FeatureReference(view: index, feature: feature)), view.features[feature].type)
    }
    let features = view.features.map(\.name)
    let windows = features.filter { $0.hasPrefix(parts[1] + "_") }
    report(
      place, "\(what): view `\(parts[0])` has no feature `\(parts[1])`",
      expected: windows.isEmpty ? nil : "one of \(Self.list(windows)): the window is part of the name",
      nearest: windows.isEmpty ? NearestName.of(parts[1], in: features).map { "\(parts[0]):\($0)" } : nil,
      remedy: windows.isEmpty ? "it has \(Self.list(features))" : nil)
    return nil
  }

  /// A request field by its declaration, or by the contracts that have a field of this name.
  private func requestValue(_ name: String, _ place: NamePlace, _ what: String) -> (ValueOrigin, FeatureType)? {
    if let index = requestFields.firstIndex(where: { $0.name == name }) {
      return (.request(index), FeatureType(requestFields[index].type))
    }
    guard !declaration.request.contains(where: { $0.name.text == name }) else { return nil }
    let drafts = sources.compactMap(\.self)
    let types = Set(
      drafts.compactMap { draft in draft.contract.index(of: name).map { draft.contract.fields[$0].type } })
    if types.count == 1, let type = types.first {
      requestFields.append(RequestFieldPlan(name: name, type: type))
      return (.request(requestFields.count - 1), FeatureType(type))
    }
    // A source that could not be read may have had it.
    guard drafts.count == sources.count else { return nil }
    let known =
      requestFields.map(\.name) + declaration.onDemand.map(\.name.text)
      + drafts.flatMap { $0.contract.fields.map(\.path) }
    let why =
      types.isEmpty
      ? "`\(name)` is neither an on-demand feature nor a field of any contract"
      : "the contracts give request field `\(name)` different types"
    report(
      place, "\(what): \(why)",
      found: types.isEmpty ? nil : types.map(\.description).sorted().joined(separator: ", "),
      nearest: types.isEmpty ? NearestName.of(name, in: known) : nil,
      remedy: "a value that comes with the request is declared: `request: {\(name): double}`")
    return nil
  }

  private func report(
    _ place: NamePlace, _ message: String, found: String? = nil, expected: String? = nil, nearest: String? = nil,
    remedy: String? = nil
  ) {
    log.error(
      in: place.scalar, utf8Offset: place.utf8Offset, utf8Length: place.utf8Length, message, found: found,
      expected: expected, nearest: nearest, remedy: remedy)
  }

  /// What a value means, for the fingerprints of what is made of it.
  func meaning(of origin: ValueOrigin) -> Fingerprint {
    var builder = FingerprintBuilder("value")
    switch origin {
    case .feature(let reference):
      guard let view = views[reference.view] else { break }
      builder.add(view.name)
      builder.add(view.features[reference.feature].fingerprint)
    case .request(let index):
      builder.add("request:\(requestFields[index].name) \(requestFields[index].type)")
    case .onDemand(let index):
      if let fingerprint = onDemand[index]?.fingerprint { builder.add(fingerprint) }
    }
    return builder.fingerprint
  }
}

/// A name inside of a text of the file.
struct NamePlace {
  var scalar: YAMLScalar
  var utf8Offset: Int
  var utf8Length: Int

  init(scalar: YAMLScalar, utf8Offset: Int, utf8Length: Int) {
    self.scalar = scalar
    self.utf8Offset = utf8Offset
    self.utf8Length = utf8Length
  }

  init(whole scalar: YAMLScalar) {
    self.init(scalar: scalar, utf8Offset: 0, utf8Length: scalar.text.utf8.count)
  }
}
