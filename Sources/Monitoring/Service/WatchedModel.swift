internal import Columns
internal import Contracts
internal import Core
internal import Drift
internal import Expressions
internal import Kafka
internal import Storage
internal import Topology

/// One monitor with what it reads.
final class WatchedModel {
  /// What the records of a topic are to a monitor; one topic may be several things.
  enum Role: CaseIterable { case predictions, events, labels, deadLetters }

  let definition: MonitorDefinition
  var state: MonitorState
  /// What the results' topic has heard.
  var marks = ResultMarks()
  let topics: [Role: String]
  private var parser: PredictionParser
  /// Of predictions that are no JSON.
  private let avro: AvroText?
  private var text: [UInt8] = []
  private var rows: PredictionRows
  private var corrections: [ScoreCorrection] = []
  private let events: EventReader?
  private let labels: LabelReader?
  private let refusedSource: RefusedSource

  /// Of the training set that is the reference, by column.
  let reference: [NumericProfile?]?

  /// - Throws: REFERENCE_MISSING, DATASET_MISSING when a training set is the reference and is not there.
  init(
    _ plan: Plan, monitor index: Int, schemas: any WriterSchemas, tables: (any BlobStore)?
  ) throws(HeadraceError) {
    let monitor = plan.monitors[index]
    let model = plan.models[monitor.model]
    let source = plan.sources[model.source]
    definition = MonitorDefinition(plan, monitor: index)
    reference = try DatasetReference.profiles(definition, tables)
    state = MonitorState(definition, reference: reference)
    parser = PredictionParser(model: model.name, featureCount: definition.columns.count - 1)
    rows = PredictionRows(partition: 0)
    avro = try Self.avro(model, schemas)
    var topics: [Role: String] = [.predictions: model.outputTopic]
    var columns: SourceColumns?
    if definition.needsEvents {
      topics[.events] = source.topic
      let read = try SourceColumns(source, schemas: schemas)
      columns = read
      events = EventReader(
        read, key: model.label?.matchColumn, segments: monitor.segments.map { (source.scope[$0].name, $0) })
    } else {
      events = nil
    }
    if let label = model.label, definition.label != nil {
      let source = plan.sources[label.source]
      topics[.labels] = source.topic
      // Labels of the model's own events come with them.
      if label.source != model.source || columns == nil { columns = try SourceColumns(source, schemas: schemas) }
      labels = columns.map { LabelReader($0, source, label) }
    } else {
      labels = nil
    }
    if definition.readsDeadLetters { topics[.deadLetters] = plan.deadLetterTopic }
    refusedSource = RefusedSource(topic: source.topic)
    self.topics = topics
  }

  func roles(of topic: String) -> [Role] { Role.allCases.filter { topics[$0] == topic } }

  func take(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    let partition = records.partition.partition
    for role in roles(of: records.partition.topic) {
      switch role {
      case .predictions:
        rows.removeAll()
        corrections.removeAll(keepingCapacity: true)
        rows.partition = partition
        for index in records.indices {
          guard let value = records[index].value else { continue }
          try take(value, offset: records[index].offset)
        }
        state.add(rows)
        state.correct(corrections, partition: partition)
      case .events:
        guard let found = try events?.read(records, &state.names) else { continue }
        state.add(found, partition: partition, upTo: records.nextOffset)
      case .labels:
        guard let found = try labels?.read(records) else { continue }
        state.add(found, partition: partition)
      case .deadLetters:
        for index in records.indices {
          guard let refused = refusedSource.event(of: records[index]) else { continue }
          state.addRefused(offset: refused.offset, producer: refused.producer, partition: refused.partition)
        }
      }
    }
  }

  private static func avro(_ model: ModelPlan, _ schemas: any WriterSchemas) throws(HeadraceError) -> AvroText? {
    guard let stream = model.stream, stream.format != .json else { return nil }
    let schema = try PredictionSchema(model, stream, isShadow: false).schema()
    return AvroText(stream.format.payload, schema: schema, schemas: schemas)
  }

  /// - Throws: `SCHEMA_NOT_HERE` while the schema of the record is on its way: the session begins again at what is
  ///   saved.
  private func take(_ prediction: RawSpan, offset: Int64) throws(HeadraceError) {
    guard let avro else {
      _ = parser.append(prediction, offset: offset, to: &rows, &corrections)
      return
    }
    // Taken out for the call, which changes the parser beside it.
    var json: [UInt8] = []
    swap(&json, &text)
    defer { swap(&json, &text) }
    json.removeAll(keepingCapacity: true)
    switch avro.append(prediction, to: &json) {
    case .written:
      let bytes = unsafe json.span.bytes
      _ = parser.append(bytes, offset: offset, to: &rows, &corrections)
    case .broken: break
    case .unavailable:
      throw HeadraceError(
        .external, "SCHEMA_NOT_HERE", "the schema of a prediction is not here yet", retry: .sameCall,
        place: definition.topic, remedy: "wait for the schema registry")
    }
  }

  func noteIdle(_ partition: TopicPartition) {
    for role in roles(of: partition.topic) where role == .predictions || role == .labels {
      state.noteIdle(partition: partition.partition, isLabel: role == .labels)
    }
  }
}
