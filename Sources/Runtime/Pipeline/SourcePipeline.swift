internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import Kafka
internal import OfflineStore
internal import OnlineStore
internal import Topology

/// From the records of one source in one partition to the rows of its views.
///
/// Bytes → columns → derived columns → the checks, in their order (contract, skew, watermark, filter, deduplication,
/// lateness) → keys, once per entity → rows, view by view. Every decision is a function of the partition's prefix;
/// where batches are cut changes nothing. Buffers are kept from batch to batch: a record that is well costs no
/// allocation, no lock and no string.
final class SourcePipeline {
  let source: SourcePlan
  /// Of this source in its topic, for messages and the dead-letter topic.
  let partition: TopicPartition
  let partitionCount: Int32
  let store: TaskStore
  /// Views whose rows are here.
  var targets: [ViewTarget]
  /// Views whose rows are in the tasks of their keys.
  var deltas: [DeltaTarget]
  /// Of every view of the source, built or not: how late a record is must not depend on which views are built.
  let layouts: [ViewLayout]
  let decoder: RecordDecoder
  let dedupe: DedupeTable?
  /// Where valid records go as they came; nil for none.
  var archive: ArchiveTarget?
  /// nil: nobody counts what it takes.
  var meters: PipelineMeters?
  /// What scores the events; nil without models.
  var modelStage: ModelStage?
  /// The same, while any model has a version that scores.
  var models: ModelStage? { modelStage.flatMap { $0.isActive ? $0 : nil } }
  /// The scope: decoded fields, then derived columns.
  var batch: ColumnBatch
  var derived: [Column]
  var filter: Column?
  /// What becomes of the batch's records.
  var decisions: RowDecisions
  var eventIDs = EntityKeys()
  /// Keys of the entities that some view has, and the record's own key field, by the columns that they are made of.
  var keyColumns: [[Int]] = []
  var keys: [EntityKeys] = []
  /// Where in `keys` the record's key field is; nil when the record's key is not checked.
  var recordKey: Int?
  var scratch = ExpressionScratch()
  /// Hashes of keys, of a view whose history and whose models are read at every event.
  var seenKeys: Set<UInt64> = []

  /// A view and its buffers.
  class Target {
    let plan: ViewPlan
    /// A position in `Plan.views`.
    let view: Int
    /// Which of the pipeline's keys are those of its entity.
    let keys: Int
    var inputs: [Column]
    var filter: Column?
    var rows: [Int] = []

    init(_ plan: ViewPlan, view: Int, keys: Int) {
      self.plan = plan
      self.view = view
      self.keys = keys
      inputs = plan.inputs.map { Column($0.type) }
      filter = plan.filter.map { Column($0.type) }
    }
  }

  /// A view whose rows are in this task.
  final class ViewTarget: Target {
    /// As the store numbers it.
    let storeView: Int
    /// Where its values go as rows; nil for nowhere.
    var history: HistoryWriter?

    init(_ plan: ViewPlan, view: Int, keys: Int, storeView: Int) {
      self.storeView = storeView
      super.init(plan, view: view, keys: keys)
    }
  }

  /// A view that is repartitioned.
  final class DeltaTarget: Target {
    let table: DeltaTable

    override init(_ plan: ViewPlan, view: Int, keys: Int) {
      table = DeltaTable(plan.layout)
      super.init(plan, view: view, keys: keys)
    }
  }

  /// - Parameters:
  ///   - views: positions in the plan's views, all of this source, with the store's number of those whose rows are
  ///   here.
  ///   - dedupeName: under which the ids are kept; a view that is being built keeps its own.
  init(
    plan: Plan, source index: Int, partition: TopicPartition, partitionCount: Int32, store: TaskStore,
    views: [(view: Int, storeView: Int?)], record: CheckpointRecord.SourceRecord, dedupeName: String,
    schemas: any WriterSchemas
  ) throws(HeadraceError) {
    source = plan.sources[index]
    self.partition = partition
    self.partitionCount = partitionCount
    self.store = store
    decisions = RowDecisions(source, partition, partitionCount: partitionCount, record: record)
    decoder = try RecordDecoder(
      contract: source.contract, format: source.format, columns: source.columns, schemas: schemas)
    batch = decoder.makeBatch()
    derived = source.derived.map { Column($0.expression.type) }
    batch.columns += derived
    filter = source.filter.map { Column($0.type) }
    if let plan = source.dedupe {
      dedupe = try store.dedupeTable(source: dedupeName, withinMilliseconds: plan.withinMilliseconds)
    } else {
      dedupe = nil
    }
    targets = []
    deltas = []
    layouts = plan.views.filter { $0.source == index }.map(\.layout)
    if let key = source.key { recordKey = slot(ofKey: [key]) }
    for (view, storeView) in views { add(plan, view, storeView) }
  }

  /// Takes a view in: from the next batch on its rows are changed here.
  func add(_ plan: Plan, _ index: Int, _ storeView: Int?) {
    let view = plan.views[index]
    let keys = slot(ofKey: view.keyColumns)
    if let storeView {
      targets.append(ViewTarget(view, view: index, keys: keys, storeView: storeView))
    } else {
      deltas.append(DeltaTarget(view, view: index, keys: keys))
    }
  }

  private func slot(ofKey columns: [Int]) -> Int {
    if let known = keyColumns.firstIndex(of: columns) { return known }
    keyColumns.append(columns)
    keys.append(EntityKeys())
    return keys.count - 1
  }
}

extension SourcePipeline {
  /// What was decided up to here: what a checkpoint keeps.
  var record: CheckpointRecord.SourceRecord { decisions.record }

  /// Applies the records `range` of a batch.
  ///
  /// - Parameters:
  ///   - outputs: where bad and late records go; nil below the restart's C: the state alone moves.
  /// - Returns: how many records are done. Fewer than there are when the schema of one is not known yet: come back with
  ///   that one.
  /// - Throws: what the store throws; what was applied of the batch must be discarded then.
  func process(
    _ records: borrowing ConsumedBatch, _ range: Range<Int>, outputs: TaskOutputs?
  ) throws(HeadraceError) -> Int {
    meters?.begin()
    for index in range { decoder.append(records[index].value) }
    let payloadBytes = decoder.byteCount
    try decoder.decode(into: &batch, faults: &decisions.faults)
    let count = decisions.countUntilTransientFault(range.count)
    guard count > 0 else { return 0 }
    decisions.readTimes(batch)
    evaluateScope()
    meters?.decoded(batch, rows: count, bytes: payloadBytes)
    decisions.decide(records, first: range.lowerBound, count: count, filter: filter, outputs)
    try dropDuplicates(count)
    meters?.checked()
    encodeKeys()
    meters?.encodedKeys()
    decisions.sortByLateness(layouts)
    decisions.settle(
      records, first: range.lowerBound, count: count, recordKeys: recordKey.map { keys[$0] }, outputs)
    meters?.checked()
    try archive(records, first: range.lowerBound, count: count)
    meters?.spooled()
    let first = range.lowerBound
    if outputs != nil { models?.begin(batch) }
    try apply(count: count, isEmitting: outputs != nil) { Self.knownMilliseconds(records[first + $0]) }
    let taken = meters?.ended() ?? 0
    guard let outputs, let models, !decisions.rows.isEmpty else {
      meters?.note(rows: count, nanoseconds: taken)
      return count
    }
    models.handOver(
      records, first: first, &batch, &decisions, tracer: meters?.instruments.tracer, batchTrace: outputs.batchTrace,
      workerNanoseconds: taken)
    return count
  }

  /// A record that nobody can read: counted, and named in the dead letters.
  func passOver(_ offset: Int64, outputs: TaskOutputs?) {
    decisions.passOver(offset)
    outputs?.deadLetter(unreadableAt: offset, partition, source)
  }

  /// Of records with the same id the first in the log counts.
  func dropDuplicates(_ count: Int) throws(HeadraceError) {
    guard let dedupe, let column = source.dedupe?.column, !decisions.rows.isEmpty else { return }
    eventIDs.encode(batch.columns, parts: [column], rowCount: batch.rowCount)
    try decisions.dropDuplicates(dedupe, eventIDs, count: count)
  }

  func evaluateScope() {
    let first = source.columns.count
    for index in derived.indices {
      source.derived[index].expression.evaluate(batch, into: &derived[index], scratch: &scratch)
      swap(&derived[index], &batch.columns[first + index])
    }
    evaluate(source.filter, into: &filter)
  }

  func encodeKeys() {
    for slot in keys.indices {
      keys[slot].encode(batch.columns, parts: keyColumns[slot], rowCount: batch.rowCount)
    }
  }

  /// Rows to the views, in the order of the log.
  ///
  /// - Parameter isEmitting: false below the restart's C: deltas of these records were sent before.
  /// - Parameter known: when the record of a row came, if it says so.
  func apply(count: Int, isEmitting: Bool, known: (Int) -> Int64?) throws(HeadraceError) {
    guard !decisions.rows.isEmpty || targets.contains(where: { $0.history != nil }) else { return }
    for target in targets {
      evaluate(target)
      select(target)
      if let history = target.history {
        try apply(target, history, count: count, isEmitting: isEmitting, known: known)
        meters?.applied(view: target.view, rows: target.rows.count)
        continue
      }
      if isEmitting, let models,
        try models.applyAndGather(
          target, store, keys: keys[target.keys], applied: target.rows[...], rows: decisions.rows[...],
          headers: decisions.headers)
      {
        meters?.applied(view: target.view, rows: target.rows.count)
        continue
      }
      try store.apply(
        view: target.storeView, keys: keys[target.keys], inputs: target.inputs, rows: target.rows,
        headers: decisions.headers)
      meters?.applied(view: target.view, rows: target.rows.count)
    }
    for target in deltas {
      evaluate(target)
      // Counted below the restart's C too.
      select(target)
      guard isEmitting else { continue }
      target.table.apply(
        keys: keys[target.keys], inputs: target.inputs, rows: target.rows,
        headers: decisions.headers)
      meters?.applied(view: target.view, rows: target.rows.count)
    }
  }

  private func evaluate(_ target: Target) {
    for index in target.plan.inputs.indices {
      target.plan.inputs[index].evaluate(batch, into: &target.inputs[index], scratch: &scratch)
    }
    evaluate(target.plan.filter, into: &target.filter)
  }

  private func evaluate(_ expression: Expression?, into filter: inout Column?) {
    // Taken out and put back: its buffers are reused, and never copied.
    guard let expression, var column = filter.take() else { return }
    expression.evaluate(batch, into: &column, scratch: &scratch)
    filter = column
  }

  private func select(_ target: Target) {
    decisions.select(into: &target.rows, keys: keys[target.keys], filter: target.filter, layout: target.plan.layout)
  }
}
