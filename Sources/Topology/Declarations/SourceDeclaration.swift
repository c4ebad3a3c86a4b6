internal import Contracts

/// `archive: off`.
enum Archiving: String, CaseIterable { case on, off }

/// `sources: name: {…}`.
struct SourceDeclaration {
  /// `event_time: {field: ts, unit: ms}`, or the field alone.
  struct EventTimeField {
    var field: YAMLScalar
    var unit: Located<EventTime.Unit>?
  }

  /// `dedupe: {by: event_id, within: 24h}`.
  struct Dedupe {
    var by: YAMLScalar
    var within: Located<Int64>
  }

  var name: YAMLScalar
  var about: About
  var tenant: TenantDeclaration?
  var topic: YAMLScalar?
  var format: Located<PayloadFormat>?
  var key: YAMLScalar?
  var partitioner: Located<SourcePartitioner>?
  var eventTime: EventTimeField?
  var lateness: Located<Int64>?
  var maxSkew: Located<Int64>?
  var dedupe: Dedupe?
  var filter: YAMLScalar?
  var archive: Located<Archiving>?
  var derive: [NamedText]

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "source `\(entry.key.shortText)`"
    guard log.isName(entry.key, "a source"), var reader = MappingReader(entry.value, what, log: log) else {
      return nil
    }
    name = entry.key
    about = About(&reader)
    tenant = TenantDeclaration(ofSource: &reader, what, log)
    topic = reader.text("topic", isRequired: true)
    format = reader.choice("format", of: PayloadFormat.self)
    key = reader.text("key")
    partitioner = reader.choice("partitioner", of: SourcePartitioner.self)
    eventTime = reader.node("event_time", isRequired: true).flatMap { Self.eventTime($0, what, log) }
    lateness = reader.duration("lateness")
    maxSkew = reader.duration("max_skew")
    dedupe = reader.node("dedupe").flatMap { Self.dedupe($0, what, log) }
    filter = reader.text("filter")
    archive = reader.choice("archive", of: Archiving.self)
    derive = reader.mapping("derive").compactMap { NamedText($0, "derived column", log: log) }
    reader.finish()
    if let topic, !TopicName.isValid(topic.text) {
      log.error(
        at: topic, "`\(topic.shortText)` cannot be the name of a topic",
        expected: "1 to 249 letters, digits, `.`, `_` and `-`")
    }
  }

  private static func eventTime(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> EventTimeField? {
    if case .scalar(let field) = node.content { return EventTimeField(field: field, unit: nil) }
    guard var reader = MappingReader(node, "`event_time` of \(what)", log: log) else { return nil }
    let field = reader.text("field", isRequired: true)
    let unit = reader.choice("unit", of: EventTime.Unit.self)
    reader.finish()
    return field.map { EventTimeField(field: $0, unit: unit) }
  }

  private static func dedupe(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Dedupe? {
    guard var reader = MappingReader(node, "`dedupe` of \(what)", log: log) else { return nil }
    let by = reader.text("by", isRequired: true)
    let within = reader.duration("within", isRequired: true)
    reader.finish()
    guard let by, let within else { return nil }
    return Dedupe(by: by, within: within)
  }
}

/// Where producers put the records of a key.
package enum SourcePartitioner: String, Sendable, CaseIterable {
  /// Java's.
  case murmur2
  /// librdkafka's `consistent`.
  case crc32
  /// No rule that could be relied on: every view is repartitioned.
  case any
}
