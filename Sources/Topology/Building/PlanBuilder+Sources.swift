internal import Columns
internal import Contracts
internal import Core
internal import Expressions

extension PlanBuilder {
  /// Types what sources compute, once it is known which fields anybody needs.
  func finishSources() {
    for index in sources.indices {
      guard let draft = sources[index] else { continue }
      let scope = scope(draft)
      sources[index]?.scope = scope
      if scope.isComplete { sources[index]?.plan = plan(draft, scope) }
    }
  }

  private func scope(_ draft: SourceDraft) -> SourceScope {
    var needed = draft
    // Every derived column is computed and checked, used or not: somebody may ask for it in a view tomorrow.
    for derived in draft.derived { needed.need(derived.parsed) }
    let isArchived = draft.declaration.archive?.value != .off
    let columns = isArchived ? Array(draft.contract.fields.indices) : needed.needed.sorted()
    let fields = columns.map { draft.contract.fields[$0] }
    var scope = SourceScope(columns: columns, fields: fields.map { ExpressionField(name: $0.path, type: $0.type) })
    scope.isComplete = draft.derived.count == draft.declaration.derive.count
    for column in draft.derived {
      let what = "derived column `\(column.name.text)`"
      guard isKnown(column.parsed, in: scope.fields),
        let expression = typed(column.parsed, in: scope.fields, column.text, what)
      else {
        scope.isComplete = false
        continue
      }
      scope.derived.append(DerivedColumnPlan(name: column.name.text, text: column.text.oneLine, expression: expression))
      scope.fields.append(ExpressionField(name: column.name.text, type: expression.type))
    }
    return scope
  }

  private func plan(_ draft: SourceDraft, _ known: SourceScope) -> SourcePlan? {
    let source = draft.declaration
    let (scope, fieldCount) = (known.fields, known.columns.count)
    var filter: Expression?
    if let declared = draft.filter {
      guard isKnown(declared.parsed, in: scope) else { return nil }
      filter = condition(declared.parsed, in: scope, declared.text, "filter of source `\(source.name.text)`")
      if filter == nil { return nil }
    }
    guard let topic = source.topic?.text, let eventTime = eventTime(draft, scope) else { return nil }
    let key = source.key.flatMap { key in scope[..<fieldCount].firstIndex { $0.name == key.text } }
    guard source.key == nil || key != nil, checkKey(source.key, key.map { scope[$0].type }) else { return nil }
    let tenant = tenant(source, scope)
    guard source.tenant == nil || tenant != nil else { return nil }
    var plan = SourcePlan(
      name: source.name.text, about: source.about, topic: topic, contract: draft.contract,
      format: source.format?.value ?? .json, partitioner: partitioner(source), columns: known.columns,
      derived: known.derived,
      scope: scope, key: key, eventTime: eventTime,
      latenessMilliseconds: source.lateness?.value ?? SourceDefaults.latenessMilliseconds,
      maxSkewMilliseconds: source.maxSkew?.value ?? SourceDefaults.maxSkewMilliseconds,
      dedupe: dedupe(source, scope), filter: filter, filterText: source.filter?.oneLine,
      isArchived: source.archive?.value != .off, tenant: tenant,
      fingerprint: Fingerprint(value: 0))
    plan.fingerprint = plan.computedFingerprint
    return plan
  }

  func isKnown(_ parsed: ParsedExpression, in scope: [ExpressionField]) -> Bool {
    parsed.names.allSatisfy { name in scope.contains { $0.name == name.name } }
  }

  /// A typed expression that must say yes or no.
  func condition(
    _ parsed: ParsedExpression, in scope: [ExpressionField], _ scalar: YAMLScalar, _ what: String
  ) -> Expression? {
    guard let expression = typed(parsed, in: scope, scalar, what) else { return nil }
    guard expression.type == .boolean else {
      log.error(
        at: scalar, "\(what) must be a condition", found: "\(expression.type)", expected: "boolean",
        remedy: "compare it: `… > 0`, `… is not null`")
      return nil
    }
    return expression
  }

  private func tenant(_ source: SourceDeclaration, _ scope: [ExpressionField]) -> SourceTenant? {
    switch source.tenant {
    case nil: return nil
    case .name(let name): return .name(name.text)
    case .field(let field):
      let what = "`tenant` of source `\(source.name.text)`"
      // A derived column that is wrong was reported where it stands.
      guard let column = scope.firstIndex(where: { $0.name == field.text }) else { return nil }
      guard [.string, .integer].contains(scope[column].type) else {
        log.error(
          at: field, "\(what): `\(field.shortText)` names no tenant", found: "\(scope[column].type)",
          expected: "a string or an integer", remedy: "derive a column in the source that does")
        return nil
      }
      return .field(column)
    }
  }

  private func eventTime(_ draft: SourceDraft, _ scope: [ExpressionField]) -> EventTimePlan? {
    guard let declared = draft.declaration.eventTime,
      let column = scope.firstIndex(where: { $0.name == declared.field.text })
    else { return nil }
    let type = scope[column].type
    switch type {
    case .timestamp, .date:
      let own = draft.contract.unit(ofField: declared.field.text)
      if let unit = declared.unit, unit.value != own {
        log.error(
          at: unit.scalar, "`unit` of `\(declared.field.text)` is not that of the contract",
          found: "`\(unit.value.rawValue)`", expected: own.map { "`\($0.rawValue)`" }, remedy: "leave `unit` out")
      }
    case .integer, .double, .string: break
    default:
      log.error(
        at: declared.field, "`\(declared.field.text)` cannot be an event time", found: "\(type)",
        expected: "a timestamp, a number or an RFC 3339 text")
      return nil
    }
    return EventTimePlan(column: column, unit: declared.unit?.value ?? .milliseconds)
  }

  /// The key of a record is compared with the text of the field.
  private func checkKey(_ key: YAMLScalar?, _ type: ColumnType?) -> Bool {
    guard let key, let type else { return true }
    switch type {
    case .string, .integer, .bytes, .boolean: return true
    default:
      log.error(
        at: key, "`\(key.text)` cannot be the key", found: "\(type)", expected: "a text or an integer",
        remedy: "producers do not agree on how such a value is written as a key")
      return false
    }
  }

  private func partitioner(_ source: SourceDeclaration) -> Partitioner? {
    switch source.partitioner?.value ?? .murmur2 {
    case .murmur2: .murmur2
    case .crc32: .crc32
    case .any: nil
    }
  }

  private func dedupe(_ source: SourceDeclaration, _ scope: [ExpressionField]) -> DedupePlan? {
    guard let dedupe = source.dedupe, let column = scope.firstIndex(where: { $0.name == dedupe.by.text }) else {
      return nil
    }
    return DedupePlan(column: column, withinMilliseconds: dedupe.within.value)
  }
}

/// The columns of a source: decoded fields, then derived ones.
struct SourceScope {
  /// Positions in the contract.
  var columns: [Int]
  var fields: [ExpressionField]
  var derived: [DerivedColumnPlan] = []
  /// No derived column was left out because it is wrong.
  var isComplete = true

  init(columns: [Int], fields: [ExpressionField]) {
    self.columns = columns
    self.fields = fields
  }
}

extension Contract {
  /// In what the schema counts a timestamp; nil of every other type.
  fileprivate func unit(ofField path: String) -> EventTime.Unit? {
    guard let index = index(of: path) else { return nil }
    return switch schema[fields[index].schemaType].logical {
    case .timestampMillis, .localTimestampMillis: .milliseconds
    case .timestampMicros, .localTimestampMicros: .microseconds
    default: nil
    }
  }
}
