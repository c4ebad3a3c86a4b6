internal import Columns
internal import Contracts
internal import Core
internal import Expressions

/// Resolves and types one topology, section after section; each goes as far as the ones before it allow.
///
/// Everything wrong goes to the log. What depends on something wrong is left out silently, so that one mistake gives
/// one message.
final class PlanBuilder {
  let declaration: TopologyDeclaration
  let log: DiagnosticLog
  let schemas: SchemaDirectory
  let frozenServices: [String: [String]]
  let modelFiles: ModelFiles

  /// By position of the declaration; nil where it is wrong.
  var sources: [SourceDraft?] = []
  /// Schema texts by subject: they travel with the plan.
  var schemaTexts: [String: String] = [:]
  var entities: [EntityPlan] = []
  var views: [ViewPlan?] = []
  var requestFields: [RequestFieldPlan] = []
  var onDemand: [OnDemandPlan?] = []
  var services: [ServicePlan?] = []
  var expansions: [String: [String]] = [:]
  var models: [ModelPlan?] = []
  var monitors: [MonitorPlan?] = []
  var policies: [PolicyPlan?] = []

  init(
    _ declaration: TopologyDeclaration, log: DiagnosticLog, schemas: SchemaDirectory,
    frozenServices: [String: [String]], modelFiles: ModelFiles
  ) {
    self.declaration = declaration
    self.log = log
    self.schemas = schemas
    self.frozenServices = frozenServices
    self.modelFiles = modelFiles
  }

  /// - Returns: nil when there is an error in the log.
  func build() -> Plan? {
    sources = declaration.sources.map(draft)
    checkTopics()
    entities = declaration.entities.map {
      EntityPlan(name: $0.name.text, keys: $0.keys.map(\.text), types: [])
    }
    let viewDrafts = declaration.views.map(draft)
    needModelInputs()
    finishSources()
    views = viewDrafts.map { $0.flatMap(view) }
    buildServing()
    buildModels()
    warnAboutUnused()
    guard !log.hasErrors else { return nil }
    return finish()
  }

  private func checkTopics() {
    var owners: [String: String] = [:]
    for source in declaration.sources {
      guard let topic = source.topic else { continue }
      if let other = owners.updateValue(source.name.text, forKey: topic.text) {
        log.error(
          at: topic, "topic `\(topic.shortText)` is read by two sources", found: "`\(other)` reads it as well",
          remedy: "use one source, and a `filter` in the views that need a part of it")
      }
      let name = declaration.name.text
      if topic.text == "\(name).dlq" || topic.text == "\(name).late" {
        log.error(at: topic, "topic `\(topic.shortText)` is written by this topology itself")
      }
    }
  }

  /// Everything is valid here, so that no position moves when the empty places go.
  private func finish() -> Plan? {
    let finishedSources = sources.compactMap { $0?.plan }
    guard finishedSources.count == sources.count else { return nil }
    var plan = Plan(
      name: declaration.name.text, about: declaration.about, tenant: declaration.tenant?.text, sources: finishedSources,
      entities: entities,
      views: views.compactMap(\.self), requestFields: requestFields, onDemand: onDemand.compactMap(\.self),
      services: services.compactMap(\.self), models: models.compactMap(\.self), monitors: monitors.compactMap(\.self),
      policies: policies.compactMap(\.self), topics: [], fingerprint: Fingerprint(value: 0),
      warnings: log.sorted,
      document: PlanDocument(
        file: log.source.file, topology: log.source.text, schemas: schemaTexts, frozenServices: expansions,
        models: models.compactMap(\.self).reduce(into: [:]) { $0[$1.name] = $1.stream?.file }))
    plan.topics = plan.neededTopics
    plan.fingerprint = plan.computedFingerprint
    return plan
  }

  private func warnAboutUnused() {
    let usedSources = Set(views.compactMap { $0?.source } + models.compactMap { $0?.source })
    let labelSources = Set(models.compactMap { $0?.label?.source })
    guard !log.hasErrors else { return }
    for (index, source) in declaration.sources.enumerated()
    where !usedSources.contains(index) && !labelSources.contains(index) {
      log.warning(
        at: source.name.position, length: source.name.shownLength,
        "source `\(source.name.text)` is read and no view or model uses it",
        remedy: "its events are checked and archived; remove it if that is not what you want")
    }
    for (index, entity) in declaration.entities.enumerated() where !views.contains(where: { $0?.entity == index }) {
      log.warning(
        at: entity.name.position, length: entity.name.shownLength, "entity `\(entity.name.text)` has no view")
    }
  }
}

extension PlanBuilder {
  /// Reports an error inside of a text of the file.
  func report(_ error: ExpressionError, in scalar: YAMLScalar, _ what: String) {
    log.error(
      in: scalar, utf8Offset: error.offset, utf8Length: error.length, "\(what): \(error.message)", found: error.found,
      expected: error.expected, nearest: error.nearest, remedy: error.remedy)
  }

  func parse(_ scalar: YAMLScalar, _ what: String) -> ParsedExpression? {
    do throws(ExpressionError) {
      return try ParsedExpression(scalar.text)
    } catch {
      report(error, in: scalar, what)
      return nil
    }
  }

  func typed(
    _ parsed: ParsedExpression, in scope: [ExpressionField], _ scalar: YAMLScalar, _ what: String
  ) -> Expression? {
    do throws(ExpressionError) {
      return try parsed.typed(in: scope)
    } catch {
      report(error, in: scalar, what)
      return nil
    }
  }

  /// Looks a name up among declarations, and says which it could have been.
  func resolve<Declaration>(
    _ name: YAMLScalar?, in declarations: [Declaration], _ what: String, name nameOf: (Declaration) -> YAMLScalar
  ) -> Int? {
    guard let name else { return nil }
    let names = declarations.map { nameOf($0).text }
    if let index = names.firstIndex(of: name.text) { return index }
    let nearest = NearestName.of(name.text, in: names)
    log.error(
      at: name, "there is no \(what) `\(name.shortText)`",
      expected: nearest == nil && !names.isEmpty ? "one of \(Self.list(names))" : nil, nearest: nearest)
    return nil
  }

  static func list(_ names: some Collection<String>) -> String {
    let shown = names.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
    return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
  }
}
