internal import Columns
internal import Core
internal import Features
internal import Kafka
internal import OnlineStore
internal import Topology

/// The worker's part of the models of one source in one task: takes the features of an event while the event is
/// applied, and hands the batch to the thread that scores.
///
/// Features of views whose rows change with the same events are gathered row by row, so that an event sees itself and
/// nothing behind it. Everything else can wait until the rows are applied, and is done by `ScoringStage`.
final class ModelStage {
  private let layout: ModelLayout
  private let stage: ScoringStage
  private let lane: ScoringLane
  /// Whether any model has a version that scores.
  private(set) var isActive = false
  /// What is filled now.
  private var current: ScoringBatch?
  /// By row of the batch: whether the view that is applied takes it.
  private var applies: [Bool] = []
  /// Rows that are read of the view that is applied.
  private var readRows: [Int] = []

  init(_ layout: ModelLayout, _ stage: ScoringStage, _ lane: ScoringLane) {
    self.layout = layout
    self.stage = stage
    self.lane = lane
  }

  /// From the next event on the versions of this epoch score.
  func take(_ epoch: ModelEpoch) {
    isActive = layout.vectors.contains { epoch[$0.model] != nil }
    lane.take(epoch, stage)
  }

  /// Whether a model takes features of a view.
  func reads(view: Int) -> Bool { layout.blocks.contains { $0.view == view } }

  /// Empties the matrix for a batch: what nobody fills is missing.
  ///
  /// - Parameter scope: what the events are read into.
  func begin(_ scope: borrowing ColumnBatch) {
    let batch = current ?? stage.spareBatch() ?? ScoringBatch(scope.columns.map(\.type))
    current = batch
    // A view of our own that is not applied here is still being built.
    batch.clear(rowCount: scope.rowCount, stride: layout.stride, isMissing: layout.blocks.map(\.isOwn))
    if applies.count < scope.rowCount { applies += repeatElement(false, count: scope.rowCount - applies.count) }
  }

  /// Applies the rows of a view of this source, and takes its features after each event.
  ///
  /// Parts of one batch come one after the other.
  ///
  /// - Parameters:
  ///   - target: the view.
  ///   - applied: the rows that it takes.
  ///   - rows: all rows that are predicted for.
  /// - Returns: false for a view that no model reads: nothing was done.
  func applyAndGather(
    _ target: SourcePipeline.ViewTarget, _ store: TaskStore, keys: borrowing EntityKeys, applied: ArraySlice<Int>,
    rows: ArraySlice<Int>, headers: borrowing EventHeaders
  ) throws(HeadraceError) -> Bool {
    guard let batch = current, let position = layout.blocks.firstIndex(where: { $0.view == target.view }) else {
      return false
    }
    let block = layout.blocks[position]
    readRows.removeAll(keepingCapacity: true)
    batch.noteRead(block: position, of: layout.blocks.count, rows: rows)
    for row in rows {
      applies[row] = false
      // Nothing is kept under such a key, as `RowDecisions.select` has it.
      guard keys.isValid[row], keys.text[row].byteCount <= EntityKey.bytesMaximum else { continue }
      readRows.append(row)
    }
    for row in applied { applies[row] = true }
    let (rows, flags, stride) = (readRows, applies, layout.stride)
    try unsafe batch.matrix.withUnsafeMutableBufferPointer { buffer throws(HeadraceError) in
      guard let start = buffer.baseAddress else { return }
      try unsafe store.applyAndGather(
        view: target.storeView, keys: keys, inputs: target.inputs, rows: rows, applies: flags, headers: headers,
        into: FeatureMatrix(start: start + block.first, stride: stride, plan: block.gathered))
    }
    return true
  }

  /// Hands the batch over, with one prediction of each model to be made for each record that was applied or repaired,
  /// in the order of the log. Records that were filtered, came twice, came too late or broke their contract have none.
  ///
  /// Waits while the scoring is too far behind.
  ///
  /// - Parameters:
  ///   - scope: the columns of the events; others come back, whose content is of some former batch.
  ///   - workerNanoseconds: CPU time that the worker took for the batch.
  func handOver(
    _ records: borrowing ConsumedBatch, first: Int, _ scope: inout ColumnBatch, _ decisions: inout RowDecisions,
    tracer: BatchTracer?, batchTrace: [UInt8], workerNanoseconds: Int64
  ) {
    guard let batch = current, !decisions.rows.isEmpty else { return }
    current = nil
    swap(&batch.scope, &scope)
    decisions.exchange(rows: &batch.rows, headers: &batch.headers)
    batch.batchTrace = batchTrace
    batch.workerNanoseconds = workerNanoseconds
    batch.hold(records, first: first, tracer)
    lane.score(batch, stage)
  }
}
