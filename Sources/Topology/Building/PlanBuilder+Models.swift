internal import Columns
internal import Contracts
internal import Core
internal import Expressions

extension PlanBuilder {
  /// Models, monitors and policies: resolved and typed; what runs them comes with their modules.
  func buildModels() {
    for (index, declared) in declaration.models.enumerated() {
      reportSecond(declared.name, index, declaration.models.map(\.name), "model")
      models.append(model(declared))
    }
    checkOutputForms()
    for (index, declared) in declaration.monitors.enumerated() {
      reportSecond(declared.name, index, declaration.monitors.map(\.name), "monitor")
      monitors.append(monitor(declared))
    }
    for (index, declared) in declaration.policies.enumerated() {
      reportSecond(declared.name, index, declaration.policies.map(\.name), "policy")
      policies.append(policy(declared))
    }
  }

  private func model(_ declared: ModelDeclaration) -> ModelPlan? {
    let what = "model `\(declared.name.text)`"
    let service = resolve(declared.service, in: declaration.services, "service") { $0.name }
    let source = resolve(declared.each, in: declaration.sources, "source") { $0.name }
    let use = declared.use.flatMap { modelReference($0, "`use` of \(what)") }
    let file = declared.file.flatMap { modelFile($0, declared, what) }
    let shadow = declared.shadow.flatMap { modelReference($0.use, "`shadow` of \(what)") }
    for output in [declared.output, declared.shadow?.output].compactMap(\.self) { checkOutput(output, what) }
    var label: LabelPlan?
    if let declaredLabel = declared.label {
      label = self.label(declaredLabel, modelSource: source, what)
      if label == nil { return nil }
    }
    guard let service, let source, let output = declared.output, use != nil || file != nil || declared.remote != nil,
      let servicePlan = services[service]
    else { return nil }
    let remote = servicePlan.views.filter { isRemote($0, from: source) }
    if !remote.isEmpty {
      let names = remote.compactMap { views[$0]?.name }
      log.warning(
        at: declared.name.position, length: declared.name.shownLength,
        "\(what) reads rows that other tasks own: \(Self.list(names))",
        remedy: "the stream asks no other process for rows: run it in one, or read views by the key of its events")
    }
    checkRequestFields(servicePlan, of: source, declared, what)
    guard let stream = streamModel(file, declared, servicePlan, of: source, what) else { return nil }
    return ModelPlan(
      name: declared.name.text, about: declared.about, tenant: declared.tenant?.text, service: service, source: source,
      outputTopic: output.text,
      stream: stream, use: use, shadow: shadow, label: label, requests: requests(declared, what),
      remoteViews: remote, isArchived: declared.archive?.value == .on)
  }

  /// The topics through which requests come and are answered.
  private func requests(_ declared: ModelDeclaration, _ what: String) -> RequestsPlan? {
    guard let requests = declared.requests else { return nil }
    if declared.remote != nil {
      log.error(
        at: requests.topic, "`requests` of \(what) are for models that this process scores itself",
        remedy: "let the callers ask the endpoint")
      return nil
    }
    let responses = requests.responses?.text ?? "\(requests.topic.text).responses"
    let named = [requests.topic] + [requests.responses].compactMap(\.self) + requests.replyTopics
    for scalar in named { checkOutput(scalar, what) }
    let answers = [responses] + requests.replyTopics.map(\.text)
    if answers.contains(requests.topic.text) {
      log.error(at: requests.topic, "`requests` of \(what) would be answered into the topic that they come from")
    }
    if let output = declared.output, (answers + [requests.topic.text]).contains(output.text) {
      log.error(
        at: requests.topic, "`requests` of \(what) use the topic that its predictions go to",
        remedy: "give them topics of their own")
    }
    let others = declaration.models.filter { $0.name.text != declared.name.text }
    if let other = others.first(where: { $0.requests?.topic.text == requests.topic.text }) {
      log.error(
        at: requests.topic, "`requests` of \(what) come through the topic of model `\(other.name.text)`",
        remedy: "give each model a topic of its own")
    }
    return RequestsPlan(
      topic: requests.topic.text, responseTopic: responses, replyTopics: requests.replyTopics.map(\.text),
      withinMilliseconds: requests.within?.value)
  }

  /// Whether an event of this source may need a row of another task.
  private func isRemote(_ viewIndex: Int, from source: Int) -> Bool {
    guard let view = views[viewIndex], let plan = sources[source]?.plan else { return false }
    let key = plan.key.map { plan.scope[$0].name }
    return view.isRepartitioned || entities[view.entity].keys != [key].compactMap(\.self) || plan.partitioner == nil
  }

  /// What a request would bring comes from the event here, so the event must have it.
  private func checkRequestFields(
    _ service: ServicePlan, of source: Int, _ declared: ModelDeclaration, _ what: String
  ) {
    guard let draft = sources[source], let each = declared.each else { return }
    for field in service.requestFields.map({ requestFields[$0] }) {
      let index = draft.contract.index(of: field.name)
      let type = index.map { draft.contract.fields[$0].type } ?? draft.plan?.scope.first { $0.name == field.name }?.type
      guard type != field.type else { continue }
      log.error(
        at: each, "\(what): service `\(service.name)` needs `request:\(field.name)` from every event of `\(each.text)`",
        found: type.map { "a field of type \($0)" } ?? "no such field", expected: "a field of type \(field.type)",
        remedy: "derive it in the source, or take it out of the service")
    }
  }

  /// Records of one topic have one form: what reads it cannot tell models apart before it has read them.
  private func checkOutputForms() {
    for (index, model) in models.enumerated() {
      guard let model, let stream = model.stream, let output = declaration.models[index].output else { continue }
      for other in models[..<index].compactMap(\.self) where other.outputTopic == model.outputTopic {
        guard let former = other.stream else { continue }
        let isSame =
          stream.format == former.format
          && (stream.format == .json
            || PredictionSchema(model, stream, isShadow: false) == PredictionSchema(other, former, isShadow: false))
        guard !isSame else { continue }
        log.error(
          at: output, "models `\(other.name)` and `\(model.name)` write into one topic in different forms",
          found: "\(former.format.rawValue) and \(stream.format.rawValue)",
          expected: "the same `format`, and in Avro the same `features`, and a threshold in both or in none",
          remedy: "give one of them a topic of its own")
      }
    }
  }

  private func checkOutput(_ output: YAMLScalar, _ what: String) {
    guard TopicName.isValid(output.text) else {
      log.error(
        at: output, "`\(output.shortText)` cannot be the name of a topic",
        expected: "1 to 249 letters, digits, `.`, `_` and `-`")
      return
    }
    if let source = declaration.sources.first(where: { $0.topic?.text == output.text }) {
      log.error(
        at: output, "\(what) would write into the topic that source `\(source.name.text)` reads",
        remedy: "give it a topic of its own")
    }
    let name = declaration.name.text
    if output.text == "\(name).dlq" || output.text == "\(name).late"
      || views.contains(where: { $0?.repartitionTopic == output.text })
    {
      log.error(
        at: output, "\(what) would write into a topic that this topology needs for something else",
        remedy: "give it a topic of its own")
    }
  }

  /// `name@alias` or `name:version`.
  func modelReference(_ scalar: YAMLScalar, _ what: String) -> ModelReference? {
    let text = scalar.text
    if let separator = text.firstIndex(where: { $0 == "@" || $0 == ":" }) {
      let name = String(text[..<separator])
      let selector = String(text[text.index(after: separator)...])
      let isAlias = text[separator] == "@"
      let isWord = { (word: String) in
        !word.isEmpty && word.utf8.count <= 100
          && word.utf8.allSatisfy {
            $0 < 0x80
              && ($0 == 0x5f || $0 == 0x2d || Character(Unicode.Scalar($0)).isLetter
                || Character(Unicode.Scalar($0)).isNumber)
          }
      }
      if isWord(name), isAlias, isWord(selector) { return ModelReference(model: name, selector: .alias(selector)) }
      if isWord(name), !isAlias, let version = Int(selector), version > 0 {
        return ModelReference(model: name, selector: .version(version))
      }
    }
    log.error(
      at: scalar, "\(what) names no registered model", found: "`\(scalar.shortText)`",
      expected: "`name@alias`, such as `late_arrival@champion`, or `name:3`")
    return nil
  }

  private func label(_ declared: ModelDeclaration.Label, modelSource: Int?, _ what: String) -> LabelPlan? {
    let place = "`label` of \(what)"
    guard let source = resolve(declared.source, in: declaration.sources, "source", name: { $0.name }),
      let draft = sources[source]
    else { return nil }
    guard let parsed = parse(declared.value, "\(place): `value`"), checkNames(parsed, declared.value, draft, place),
      let plan = draft.plan, let modelSource, let modelPlan = sources[modelSource]?.plan
    else { return nil }
    let labelMatch = plan.scope.firstIndex { $0.name == declared.match.text }
    let match = modelPlan.scope.firstIndex { $0.name == declared.match.text }
    guard let labelMatch, let match else {
      let missing = labelMatch == nil ? plan.name : modelPlan.name
      log.error(
        at: declared.match, "\(place): source `\(missing)` has no field `\(declared.match.text)`",
        expected: "a field that both `\(modelPlan.name)` and `\(plan.name)` have")
      return nil
    }
    let (left, right) = (modelPlan.scope[match].type, plan.scope[labelMatch].type)
    guard left == right else {
      log.error(
        at: declared.match, "\(place): `\(declared.match.text)` has two types",
        found: "\(left) in `\(modelPlan.name)`, \(right) in `\(plan.name)`")
      return nil
    }
    guard let value = typed(parsed, in: plan.scope, declared.value, "\(place): `value`") else { return nil }
    guard value.type == .boolean || value.type.isNumeric else {
      log.error(
        at: declared.value, "\(place): `value` must be a number or a condition", found: "\(value.type)")
      return nil
    }
    return LabelPlan(
      source: source, matchColumn: match, labelMatchColumn: labelMatch, value: value, text: declared.value.oneLine,
      withinMilliseconds: declared.within.value)
  }
}
