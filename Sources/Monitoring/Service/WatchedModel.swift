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
  enum Role: Hashable { case predictions, events, labels }

  let definition: MonitorDefinition
  var state: MonitorState
  /// What the results' topic has heard.
  var marks = ResultMarks()
  let topics: [Role: String]
  private var parser: PredictionParser
  private var rows: PredictionRows
  private let events: EventReader?
  private let labels: LabelReader?

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
    var topics: [Role: String] = [.predictions: model.outputTopic]
    if definition.needsEvents {
      topics[.events] = source.topic
      events = try EventReader(
        source, key: model.label?.matchColumn, segments: monitor.segments.map { (source.scope[$0].name, $0) },
        schemas: schemas)
    } else {
      events = nil
    }
    if let label = model.label, definition.label != nil {
      topics[.labels] = plan.sources[label.source].topic
      labels = try LabelReader(plan.sources[label.source], label, schemas: schemas)
    } else {
      labels = nil
    }
    self.topics = topics
  }

  func roles(of topic: String) -> [Role] { topics.filter { $0.value == topic }.map(\.key) }

  func take(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    let partition = records.partition.partition
    for role in roles(of: records.partition.topic) {
      switch role {
      case .predictions:
        rows.removeAll()
        rows.partition = partition
        for index in records.indices {
          guard let value = records[index].value else { continue }
          _ = parser.append(value, offset: records[index].offset, to: &rows)
        }
        state.add(rows)
      case .events:
        guard let found = try events?.read(records, &state.names) else { continue }
        state.add(found, partition: partition, upTo: records.nextOffset)
      case .labels:
        guard let found = try labels?.read(records) else { continue }
        state.add(found, partition: partition)
      }
    }
  }

  func noteIdle(_ partition: TopicPartition) {
    for role in roles(of: partition.topic) where role != .events {
      state.noteIdle(partition: partition.partition, isLabel: role == .labels)
    }
  }
}
