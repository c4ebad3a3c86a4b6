internal import Columns
internal import Contracts
internal import Core
internal import Kafka
internal import OfflineStore
internal import Storage
internal import Topology

/// A table of a model that a topic gives rows to.
struct ArchivedTopic {
  var topic: String
  var table: String
  var makeReader: () throws(HeadraceError) -> any ArchiveRowReader

  /// The tables of all models that want them.
  static func all(_ plan: Plan, schemas: any WriterSchemas) -> [ArchivedTopic] {
    var topics: [ArchivedTopic] = []
    for model in plan.models where model.isArchived {
      if let stream = model.stream {
        topics.append(
          ArchivedTopic(topic: model.outputTopic, table: model.predictionsTable) {
            () throws(HeadraceError) in try PredictionArchiveReader(model, stream, schemas: schemas)
          })
      }
      if let label = model.label {
        let source = plan.sources[label.source]
        topics.append(
          ArchivedTopic(topic: source.topic, table: model.labelsTable) {
            () throws(HeadraceError) in try LabelArchiveReader(source, label, schemas: schemas)
          })
      }
    }
    return topics
  }
}

/// One partition of a topic on its way to one table.
final class ArchivedPartition {
  private let table: PartitionTable
  private let reader: any ArchiveRowReader
  private var batch: ColumnBatch
  /// Records below it are in the table, or in files that the next commit brings there.
  private(set) var position: Int64
  /// Since when rows wait for the next commit, by the monotonic clock; nil: none do.
  private var waitingSince: Int64?
  /// Of the records behind them.
  private var waitingBytes: Int64 = 0

  init(
    _ archived: ArchivedTopic, _ partition: TopicPartition, of plan: Plan, in store: any BlobStore
  ) throws(HeadraceError) {
    reader = try archived.makeReader()
    batch = ColumnBatch(reader.fields.map(\.type))
    table = try PartitionTable(
      store, name: archived.table, fields: reader.fields,
      application: "\(plan.name)/\(partition.topic)/\(partition.partition)",
      origin: .init(
        topic: partition.topic, partition: partition.partition, planFingerprint: plan.fingerprint.description),
      nowMilliseconds: WallClock.system.nowMilliseconds)
    position = table.position ?? .min
  }

  var tableName: String { table.name }

  /// What is in the table already is passed over.
  ///
  /// - Throws: `SCHEMA_NOT_HERE`, behind which the same records may be taken again; what the table throws, behind which
  ///   nothing of this partition is committed any more.
  func take(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    guard records.nextOffset > position else { return }
    batch.removeAll()
    try reader.read(records, from: position, into: &batch)
    if batch.rowCount > 0 {
      try table.append(batch, nowMilliseconds: WallClock.system.nowMilliseconds)
      waitingSince = waitingSince ?? WallClock.monotonic.nowMilliseconds
      for index in records.indices { waitingBytes += Int64(records[index].value?.byteCount ?? 0) }
    }
    // Only behind the append: what the table did not take must not be committed as if it had it.
    position = records.nextOffset
  }

  /// Makes waiting rows visible.
  ///
  /// - Parameters:
  ///   - freshnessMilliseconds: rows that wait for less go on waiting,
  ///   - bytesMaximum: unless they are of as many bytes.
  func commit(freshnessMilliseconds: Int64, bytesMaximum: Int64) throws(HeadraceError) {
    guard let since = waitingSince,
      waitingBytes >= bytesMaximum || WallClock.monotonic.nowMilliseconds - since >= freshnessMilliseconds
    else { return }
    try table.commit(upTo: position, watermark: .min, nowMilliseconds: WallClock.system.nowMilliseconds)
    (waitingSince, waitingBytes) = (nil, 0)
  }
}
