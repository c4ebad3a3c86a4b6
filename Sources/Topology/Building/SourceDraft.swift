internal import Columns
internal import Contracts
internal import Core
internal import Expressions

/// A source whose contract is known, on the way to a plan: it collects which fields anybody needs.
struct SourceDraft {
  let index: Int
  let declaration: SourceDeclaration
  let contract: Contract
  /// Derived columns whose grammar is right, in the order of the file.
  var derived: [(name: YAMLScalar, text: YAMLScalar, parsed: ParsedExpression)] = []
  var filter: (text: YAMLScalar, parsed: ParsedExpression)?
  /// Positions in the contract.
  var needed: Set<Int> = []
  /// Typed, even where the rest of the source is wrong, so that views can be checked.
  var scope: SourceScope?
  var plan: SourcePlan?

  /// Everything that an expression may name.
  var names: [String] { contract.fields.map(\.path) + derived.map(\.name.text) }

  func has(_ name: String) -> Bool {
    contract.index(of: name) != nil || derived.contains { $0.name.text == name }
  }
}

extension PlanBuilder {
  /// Reads the contract and the grammar of one source.
  func draft(_ source: SourceDeclaration) -> SourceDraft? {
    let index = sources.count
    reportSecond(source.name, index, declaration.sources.map(\.name), "source")
    guard let topic = source.topic, TopicName.isValid(topic.text), let contract = contract(topic) else { return nil }
    var draft = SourceDraft(index: index, declaration: source, contract: contract)
    for derive in source.derive {
      if contract.index(of: derive.name.text) != nil {
        log.error(
          at: derive.name, "derived column `\(derive.name.text)` has the name of a field of the contract",
          remedy: "choose another name")
      }
      guard let parsed = parse(derive.text, "derived column `\(derive.name.text)`") else { continue }
      checkNames(parsed, derive.text, draft, "derived column `\(derive.name.text)`", deriving: derive.name)
      draft.derived.append((derive.name, derive.text, parsed))
    }
    if let filter = source.filter, let parsed = parse(filter, "filter of source `\(source.name.text)`") {
      checkNames(parsed, filter, draft, "filter of source `\(source.name.text)`")
      draft.filter = (filter, parsed)
      draft.need(parsed)
    }
    for name in [source.key, source.eventTime?.field, source.dedupe?.by].compactMap(\.self) {
      if let field = contract.index(of: name.text) {
        draft.needed.insert(field)
      } else {
        reportUnknown(name, draft)
      }
    }
    if case .field(let field) = source.tenant {
      if draft.has(field.text) {
        draft.need(field.text)
      } else if !source.derive.contains(where: { $0.name.text == field.text }) {
        // A derived column that is wrong was reported where it stands.
        reportUnknown(field, draft)
      }
    }
    checkTimes(draft)
    return draft
  }

  /// Names that neither the contract nor a derived column has; each is reported once.
  ///
  /// - Parameter deriving: the derived column that the expression belongs to: it reads only those above itself.
  @discardableResult
  func checkNames(
    _ parsed: ParsedExpression, _ scalar: YAMLScalar, _ draft: SourceDraft, _ what: String, deriving: YAMLScalar? = nil
  ) -> Bool {
    var reported: Set<String> = []
    for name in parsed.names where !draft.has(name.name) && reported.insert(name.name).inserted {
      let column = draft.declaration.derive.first { $0.name.text == name.name }
      let isLater = column != nil && deriving.map { $0.position <= column?.name.position ?? .start } == true
      // A derived column that is wrong was reported where it stands.
      guard column == nil || isLater else { continue }
      let nearest = NearestName.of(name.name, in: draft.names)
      log.error(
        in: scalar, utf8Offset: name.offset, utf8Length: name.name.utf8.count,
        "\(what): source `\(draft.declaration.name.text)` has no field `\(name.name)`",
        expected: nearest == nil && !isLater ? "one of \(Self.list(draft.names))" : nil, nearest: nearest,
        remedy: isLater ? "a derived column reads fields and the derived columns above it" : nil)
    }
    return reported.isEmpty
  }

  private func reportUnknown(_ name: YAMLScalar, _ draft: SourceDraft) {
    let fields = draft.contract.fields.map(\.path)
    let isDerived = draft.declaration.derive.contains { $0.name.text == name.text }
    let nearest = NearestName.of(name.text, in: fields)
    log.error(
      at: name, "the contract `\(draft.contract.subject)` has no field `\(name.shortText)`",
      found: isDerived ? "a derived column" : nil,
      expected: isDerived ? "a field of the event" : nearest == nil ? "one of \(Self.list(fields))" : nil,
      nearest: nearest)
  }

  func reportSecond(_ name: YAMLScalar, _ index: Int, _ names: [YAMLScalar], _ what: String) {
    guard let first = names[..<min(index, names.count)].first(where: { $0.text == name.text }) else { return }
    log.error(
      at: name, "there are two of \(what) `\(name.text)`", found: "the first one at line \(first.position.line)")
  }

  private func contract(_ topic: YAMLScalar) -> Contract? {
    switch schemas.schema(of: topic.text) {
    case .found(let text, let place):
      do throws(HeadraceError) {
        let contract = try Contract(subject: topic.text, json: Array(text.utf8), file: place)
        schemaTexts[topic.text] = text
        return contract
      } catch {
        log.error(
          at: topic, "the schema of `\(topic.text)` is not valid: \(error.message)", found: error.place,
          remedy: error.remedy)
      }
    case .missing(let place):
      let nearest = NearestName.of(topic.text, in: schemas.subjects)
      log.error(
        at: topic, "there is no schema for topic `\(topic.text)`", expected: "a file \(place)", nearest: nearest,
        remedy: nearest == nil ? "write the Avro schema of its events there" : nil)
    case .unreadable(let place, let why):
      log.error(at: topic, "the schema of `\(topic.text)` cannot be read: \(why)", found: place)
    }
    return nil
  }

  /// The relations of lateness, skew and deduplication.
  private func checkTimes(_ draft: SourceDraft) {
    let source = draft.declaration
    let lateness = source.lateness?.value ?? SourceDefaults.latenessMilliseconds
    if let dedupe = source.dedupe, dedupe.within.value < lateness {
      log.error(
        at: dedupe.within.scalar, "`dedupe` of source `\(source.name.text)` forgets an id before its lateness is over",
        found: "`\(dedupe.within.scalar.text)`",
        expected: "at least the lateness, \(DurationLiteral.text(lateness))",
        remedy: "a duplicate that comes late would count twice: raise `within`, or lower `lateness`")
    }
  }
}

extension SourceDraft {
  /// Marks the fields that an expression reads, through derived columns as well.
  mutating func need(_ parsed: ParsedExpression) {
    for name in parsed.names { need(name.name) }
  }

  mutating func need(_ name: String) {
    if let field = contract.index(of: name) {
      needed.insert(field)
    } else if let position = derived.firstIndex(where: { $0.name.text == name }) {
      let parsed = derived[position].parsed
      // A derived column reads only those above it, or it was reported: no cycle comes through here.
      for name in parsed.names where !derived[position...].contains(where: { $0.name.text == name.name }) {
        need(name.name)
      }
    }
  }
}

/// What a source does when its file does not say.
package enum SourceDefaults {
  package static let latenessMilliseconds: Int64 = 600_000
  package static let maxSkewMilliseconds: Int64 = 300_000
}
