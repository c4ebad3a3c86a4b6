internal import Columns
internal import Contracts
package import Core
internal import Expressions
package import OfflineStore
package import Storage
package import Topology

/// Where a prediction comes from, as its id says: `topic-partition-offset/model`.
package struct PredictionID: Sendable, Equatable {
  package var topic: String
  package var partition: Int32
  package var offset: Int64
  package var model: String

  /// - Returns: nil of what is no such id. Topics may have dashes; what follows the last two is read.
  package init?(_ text: String) {
    guard let slash = text.lastIndex(of: "/") else { return nil }
    let parts = text[..<slash].split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 3, let offset = Int64(parts[parts.count - 1]), offset >= 0,
      let partition = Int32(parts[parts.count - 2]), partition >= 0
    else { return nil }
    topic = parts.dropLast(2).joined(separator: "-")
    self.partition = partition
    self.offset = offset
    model = String(text[text.index(after: slash)...])
    guard !topic.isEmpty, !model.isEmpty else { return nil }
  }
}

/// What a prediction was made of: its event, the versions, and the rows of its views with their records.
package struct PredictionExplanation: Sendable {
  package var id: PredictionID
  /// SHA-256 of the model's file: as the prediction says it, else of the plan that is asked about; nil where the
  /// registry names the version and the prediction was not looked for.
  package var modelVersion: String?
  /// What stands in the topic of predictions; nil when nobody looked, or it is not there.
  package var recorded: RecordedPrediction?
  package var service: String
  package var serviceVersion: String
  package var eventTimeMilliseconds: Int64
  package var knownMilliseconds: Int64?
  package var watermarkMilliseconds: Int64?
  /// What was decided of the event: applied, repaired…
  package var outcome: String
  /// Values of the event that the model takes as they come.
  package var request: [(name: String, value: ServedValue)] = []
  package var rows: [(row: RowExplanation, key: [(name: String, value: ServedValue)], note: String?)] = []
}

/// Explains predictions by the archive.
package struct PredictionExplainer {
  let plan: Plan
  private let store: any BlobStore

  package init(_ plan: Plan, tables store: any BlobStore) {
    self.plan = plan
    self.store = store
  }

  /// - Throws: NO_SUCH_MODEL, EVENT_NOT_ARCHIVED, ARCHIVE_MISSING.
  package func explain(_ id: PredictionID) throws(HeadraceError) -> PredictionExplanation {
    guard let model = plan.models.first(where: { $0.name == id.model }), let stream = model.stream else {
      throw HeadraceError(
        .user, "NO_SUCH_MODEL", "the topology has no model of that name that scores events", place: id.model,
        remedy: "one of \(plan.models.map(\.name).joined(separator: ", "))")
    }
    let source = plan.sources[model.source]
    let service = plan.services[model.service]
    guard source.topic == id.topic else {
      throw HeadraceError(
        .user, "NO_SUCH_EVENT", "model \(id.model) scores events of \(source.topic), not of \(id.topic)",
        place: id.topic)
    }
    let event = try event(source, id)
    var explanation = PredictionExplanation(
      id: id, modelVersion: stream.file?.contentHash, service: service.name,
      serviceVersion: service.fingerprint.description, eventTimeMilliseconds: event.timeMilliseconds,
      knownMilliseconds: event.knownMilliseconds, watermarkMilliseconds: event.watermark, outcome: event.outcome)
    for (field, column) in zip(service.requestFields, stream.requestColumns) {
      explanation.request.append((plan.requestFields[field].name, ServedValue(event.scope[column])))
    }
    let specification = ParitySpecification(plan)
    for (position, index) in service.views.enumerated() {
      let view = plan.views[index]
      guard let definition = specification.view(named: view.name) else { continue }
      let names = plan.entities[view.entity].keys
      let key = stream.keyColumns[position].map { event.scope[$0] }
      let isOwn = view.source == model.source && !view.isRepartitioned
      let wanted = Set(service.features.flatMap { features(of: $0.origin, view: index) })
      let row = try RowExplainer(definition, tables: store).explain(
        key: key, atMilliseconds: event.timeMilliseconds,
        isOwn ? .below(offset: id.offset + 1, partition: id.partition) : .known,
        features: view.features.indices.filter(wanted.contains).map { view.features[$0].name },
        watermark: isOwn ? event.watermark : nil)
      explanation.rows.append(
        (
          row, zip(names, key).map { ($0, ServedValue($1)) },
          isOwn
            ? nil
            : "rows of another source or task are read when the batch is applied: the records that were known at the "
              + "event's time are shown"
        ))
    }
    return explanation
  }

  /// Positions of a view's features behind a value of a service.
  private func features(of origin: ValueOrigin, view: Int) -> [Int] {
    switch origin {
    case .feature(let reference): reference.view == view ? [reference.feature] : []
    case .request: []
    case .onDemand(let index): plan.onDemand[index].inputs.flatMap { features(of: $0, view: view) }
    }
  }

  private struct Event {
    var scope: [Value]
    var timeMilliseconds: Int64
    var knownMilliseconds: Int64?
    var watermark: Int64
    var outcome: String
  }

  /// The event as it was archived, with its derived columns.
  private func event(_ source: SourcePlan, _ id: PredictionID) throws(HeadraceError) -> Event {
    guard source.isArchived, let archive = try ArchiveSnapshot.open(store, source: source.name) else {
      throw HeadraceError(
        .user, "ARCHIVE_MISSING", "nothing of the source is archived", place: source.name,
        remedy: "explain needs the table events/\(source.name) of a worker with tables")
    }
    let reader = try archive.reader(
      .init(
        topic: id.topic, partition: id.partition,
        fields: source.contract.fields.map { .init($0.path, $0.type) },
        defaults: source.contract.fields.map { $0.defaultValue ?? .null }, offsets: id.offset..<id.offset + 1))
    var batch = ColumnBatch(reader.types)
    guard try reader.next(into: &batch), batch.rowCount > 0 else {
      throw HeadraceError(
        .user, "EVENT_NOT_ARCHIVED", "the archive does not have the event",
        place: "\(id.topic)/\(id.partition)@\(id.offset)",
        remedy: "it may not be there yet (--table-freshness), or be past the archive's retention")
    }
    let rows = ArchivedRows(batch: batch, fieldCount: source.contract.fields.count)
    let time = rows.eventTimeMilliseconds(0)
    let known = rows.knownMilliseconds(0)
    var scope = ColumnBatch(
      columns: source.columns.map { batch.columns[$0] } + source.derived.map { Column($0.expression.type) },
      rowCount: batch.rowCount)
    for (index, derived) in source.derived.enumerated() {
      scope.columns[source.columns.count + index] = derived.expression.evaluate(scope)
    }
    let before = rows.watermarkMilliseconds(0) ?? .min
    return Event(
      scope: scope.columns.map { $0.value(0) }, timeMilliseconds: time, knownMilliseconds: known > 0 ? known : nil,
      watermark: max(before, known > 0 ? min(time, known) : time),
      outcome: batch.columns[source.contract.fields.count + EventArchive.outcomeDecision].value(0).text)
  }
}

extension Value {
  fileprivate var text: String { if case .string(let text) = self { text } else { "" } }
}
