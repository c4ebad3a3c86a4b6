internal import Columns
internal import Contracts
package import Core
internal import Features
package import OfflineStore
internal import OnlineStore
internal import Rocks
package import Topology

/// The features of a view after each event of the past, as a worker that had run then would have served them: made by
/// the worker's own pipeline from the archive of one partition, in a scratch store.
///
/// Everything before the wanted time is applied too, because values depend on it. A run that was ended begins from the
/// archive's beginning again, and writes nothing twice: the table says how far it is.
package final class FeatureReplay {
  package struct Request: Sendable {
    package var plan: Plan
    /// A position in the plan; of a view that is not repartitioned.
    package var view: Int
    package var partition: Int32
    package var partitionCount: Int32
    /// Of the events that give rows; epoch milliseconds.
    package var times: Range<Int64>
    package var clock: ArchiveClock

    package init(
      plan: Plan, view: Int, partition: Int32, partitionCount: Int32, times: Range<Int64>, clock: ArchiveClock
    ) {
      self.plan = plan
      self.view = view
      self.partition = partition
      self.partitionCount = partitionCount
      self.times = times
      self.clock = clock
    }
  }

  private let request: Request
  private let view: ViewPlan
  private let target: PartitionTable
  private let reader: ArchiveReader
  /// Of the state meanwhile.
  private let scratch: ScratchFolder
  private let store: TaskStore
  private let pipeline: SourcePipeline
  private let storeView: Int
  private var archived: ColumnBatch
  private var rows: ColumnBatch
  private var values: [FeatureValue] = []
  private let features: [Int]
  private let topic: String
  /// Events below it have no row to be written.
  private let wantedFrom: Int64
  /// Everything below it was read.
  package private(set) var position: Int64
  package let range: Range<Int64>
  /// Events that were applied, those without a row included.
  package private(set) var eventCount: Int64 = 0

  private static let commitRows = 100_000
  private static let dirtyBytesMaximum = 64 << 20

  /// The columns of a view's table: as `features/<view>` has them.
  package static func fields(_ plan: Plan, view index: Int) -> [OfflineTable.Field] {
    let view = plan.views[index]
    let entity = plan.entities[view.entity]
    return FeatureHistory.fields(
      keys: zip(entity.keys, entity.types).map { OfflineTable.Field($0, $1) },
      features: view.features.map { OfflineTable.Field($0.name, $0.type.columnType) })
  }

  /// - Throws: ARCHIVE_MISSING when nothing of the partition is archived.
  package init(_ request: Request, _ archive: ArchiveSnapshot, into target: PartitionTable) throws(HeadraceError) {
    self.request = request
    self.target = target
    view = request.plan.views[request.view]
    let source = request.plan.sources[view.source]
    guard
      let reach = try archive.reach(
        topology: request.plan.name, topic: source.topic, partition: request.partition)
    else {
      throw HeadraceError(
        .user, "ARCHIVE_MISSING", "nothing of the partition is archived",
        place: "\(source.topic)/\(request.partition)")
    }
    range = reach.firstOffset..<reach.nextOffset
    position = range.lowerBound
    reader = try archive.reader(
      .init(
        topic: source.topic, partition: request.partition,
        fields: source.contract.fields.map { .init($0.path, $0.type) },
        defaults: source.contract.fields.map { $0.defaultValue ?? .null }, offsets: range))
    archived = ColumnBatch(reader.types)
    rows = ColumnBatch(Self.fields(request.plan, view: request.view).map(\.type))
    scratch = try ScratchFolder(prefix: "headrace-replay")
    store = try TaskStore(path: scratch.path)
    storeView = try store.namespace(for: view.layout).view
    pipeline = try SourcePipeline(
      plan: request.plan, source: view.source,
      partition: TopicPartition(topic: source.topic, partition: request.partition),
      partitionCount: request.partitionCount, store: store, views: [(request.view, storeView)],
      record: .init(source: source.name), dedupeName: source.name, schemas: NoWriterSchemas())
    features = Array(view.features.indices)
    topic = source.topic
    wantedFrom = target.position ?? .min
  }

  deinit { store.close() }

  /// Reads on.
  ///
  /// - Returns: false when everything is in the table.
  package func advance(nowMilliseconds: Int64) throws(HeadraceError) -> Bool {
    guard try reader.next(into: &archived) else {
      position = range.upperBound
      try flush(nowMilliseconds)
      return false
    }
    let events = ArchivedRows(batch: archived, fieldCount: pipeline.source.contract.fields.count)
    for row in 0..<events.count {
      try pipeline.process(events, row..<row + 1)
      eventCount += 1
      position = events.offset(row) + 1
      let time = request.clock == .event ? events.eventTimeMilliseconds(row) : events.knownMilliseconds(row)
      guard position > wantedFrom, request.times.contains(time) else { continue }
      try append(events, row)
    }
    if store.dirtyBytes > Self.dirtyBytesMaximum { try store.checkpoint(meta: []) }
    if rows.rowCount >= Self.commitRows { try flush(nowMilliseconds) }
    return true
  }

  /// What is made so far becomes visible: also where a run ends early.
  package func flush(_ nowMilliseconds: Int64) throws(HeadraceError) {
    guard position > wantedFrom, position > target.position ?? .min else { return }
    if rows.rowCount > 0 { try target.append(rows, nowMilliseconds: nowMilliseconds) }
    rows.removeAll()
    try target.commit(
      upTo: position, watermark: pipeline.record.watermark, nowMilliseconds: nowMilliseconds)
  }

  /// A row of the event that was applied last, if the view has taken it.
  private func append(_ events: borrowing ArchivedRows, _ row: Int) throws(HeadraceError) {
    guard let target = pipeline.targets.first, !target.rows.isEmpty else { return }
    let text = pipeline.keys[target.keys].text
    let bytes = Array(text.bytes[text.range(0)])
    let headers = pipeline.decisions.headers
    let (time, watermark) = (headers.eventTimesMilliseconds[0], headers.watermarksMilliseconds[0])
    try store.read(
      view: storeView, key: EntityKey(bytes: bytes), at: time, watermark: watermark, features: features, into: &values)
    var column = 0
    for key in view.keyColumns {
      rows.columns[column].append(0, of: pipeline.batch.columns[key])
      column += 1
    }
    rows.columns[column].append(time &* 1_000)
    column += 1
    var (status, flags) = (FeatureStatus.present, FeatureFlags())
    for value in values {
      if value.status == .outsideMaxAge || value.status == .notFound { status = value.status }
      flags.formUnion(value.flags)
      append(value.value, to: column)
      column += 1
    }
    rows.columns[column].append(flags.contains(.beforeHorizon) ? "BEFORE_HORIZON" : status.rawValue)
    rows.columns[column + 1].append(!flags.contains(.tile))
    rows.columns[column + 2].append(time < watermark &- view.latenessMilliseconds ? 1 : 0 as Int64)
    let known = events.knownMilliseconds(row)
    if known > 0 { rows.columns[column + 3].append(known &* 1_000) } else { rows.columns[column + 3].appendNull() }
    rows.columns[column + 4].append(topic)
    rows.columns[column + 5].append(Int64(request.partition))
    rows.columns[column + 6].append(events.offset(row))
    rows.rowCount += 1
  }

  private func append(_ value: Value, to column: Int) {
    if case .list(let elements) = value {
      rows.columns[column].append(JSONListText.text(elements))
    } else if !rows.columns[column].append(value) {
      rows.columns[column].appendNull()
    }
  }
}
