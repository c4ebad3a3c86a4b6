internal import Columns
internal import Core
internal import Features
internal import Kafka
internal import OfflineStore
internal import OnlineStore
internal import Topology

/// Where the history of one view goes: the columns of its table in the task's spool. Buffers are kept from batch to
/// batch.
///
/// Rows are a function of the state and of the partition's records in order: every decision is about one record, and
/// where batches are cut changes nothing.
final class HistoryWriter {
  let view: ViewPlan
  let storeView: Int
  let partition: TopicPartition
  private let store: TaskStore
  private let spool: Spool
  private let table: Int
  /// Of a history by tiles.
  let touches: TileTouches?
  /// The watermark before the next record, and the next one at which a tile ends or is final.
  private(set) var watermark: Int64
  private(set) var nextBoundary = Int64.min
  private var features: FeatureColumns
  private let topic: [UInt8]

  /// - Parameter watermark: of the input where it stands.
  init(
    _ view: ViewPlan, storeView: Int, store: TaskStore, spool: Spool, table: Int, partition: TopicPartition,
    watermark: Int64
  ) throws(HeadraceError) {
    self.view = view
    self.storeView = storeView
    self.partition = partition
    self.store = store
    self.spool = spool
    self.table = table
    self.watermark = watermark
    touches = view.history == .tiles ? try store.touches(ofView: storeView) : nil
    features = FeatureColumns(view.layout)
    topic = Array(partition.topic.utf8)
    nextBoundary = touches?.nextBoundary(after: watermark) ?? .max
  }

  private var keyCount: Int { view.keyColumns.count }
  /// The position of the features, behind the keys and the time.
  private var firstFeature: Int { keyCount + 1 }
  private var firstFact: Int { firstFeature + view.features.count }

  /// Rows of records from here on are wanted.
  var wantedFrom: Int64 { spool.wantedFrom(table) }

  private static let statuses = FeatureColumns.RowStatus.allCases.map { Array($0.text.utf8) }
}

// By updates: a row for each event.
extension HistoryWriter {
  /// Applies rows of a batch, and writes down what every feature is after each.
  ///
  /// - Parameters:
  ///   - target: the view, with its inputs and rows.
  ///   - range: which of its rows; parts of one batch come one after the other.
  ///   - batch: where the join keys are.
  ///   - known: the timestamp of a row's record, if it has one.
  func applyUpdates(
    _ target: SourcePipeline.Target, _ range: Range<Int>, _ keys: borrowing EntityKeys,
    _ decisions: borrowing RowDecisions,
    _ batch: borrowing ColumnBatch, known: (Int) -> Int64?
  ) throws(HeadraceError) {
    let wanted = wantedFrom
    let first = target.rows[range].firstIndex { decisions.headers.offsets[$0] >= wanted } ?? range.upperBound
    if first > range.lowerBound {
      try store.apply(
        view: storeView, keys: keys, inputs: target.inputs, rows: target.rows, range: range.lowerBound..<first,
        isFirst: range.lowerBound == 0, headers: decisions.headers)
    }
    guard first < range.upperBound else { return }
    features.removeAll()
    try store.applyAndRead(
      view: storeView, keys: keys, inputs: target.inputs, rows: target.rows, range: first..<range.upperBound,
      isFirst: first == 0, headers: decisions.headers, into: &features)
    let rows = target.rows[first..<range.upperBound]
    try spool.append(table) { columns in
      for (index, column) in view.keyColumns.enumerated() {
        SourcePipeline.forEachRun(of: rows) { columns.columns[index].append($0, of: batch.columns[column]) }
      }
      for row in rows { columns.columns[keyCount].append(decisions.headers.eventTimesMilliseconds[row] &* 1_000) }
      appendFeatures(to: &columns)
      for (index, row) in rows.enumerated() {
        let time = decisions.headers.eventTimesMilliseconds[row]
        let oldest = decisions.headers.watermarksMilliseconds[row] &- view.latenessMilliseconds
        let facts = FeatureHistory.Facts(
          revision: time < oldest ? 1 : 0, knownMilliseconds: known(row), partition: partition.partition,
          offset: decisions.headers.offsets[row])
        append(facts, index, to: &columns)
      }
      columns.rowCount += rows.count
    }
  }

  private func appendFeatures(to batch: inout ColumnBatch) {
    for index in features.columns.indices {
      batch.columns[firstFeature + index].append(0..<features.rowCount, of: features.columns[index])
    }
  }

  private func append(_ facts: FeatureHistory.Facts, _ row: Int, to batch: inout ColumnBatch) {
    let (status, topic) = (Self.statuses[Int(features.statuses[row].rawValue)], topic)
    unsafe FeatureHistory.append(
      facts, status: status.span.bytes, isExact: features.isExact[row], topic: topic.span.bytes, to: &batch,
      from: firstFact)
  }
}

// By tiles: a row for each key that a tile touched, when it ends, and one when it is final and has changed.
extension HistoryWriter {
  /// Writes down the tiles that end, or are final, as a record moves the watermark; before that record is applied.
  ///
  /// - Parameters:
  ///   - next: the watermark with the record.
  ///   - offset: of the record.
  ///   - known: its timestamp, if it has one.
  func close(to next: Int64, offset: Int64, known: Int64?) throws(HeadraceError) {
    guard let touches, next > watermark else { return }
    let before = watermark
    let due = try touches.due(from: before, to: next)
    watermark = next
    nextBoundary = touches.nextBoundary(after: next)
    guard offset >= wantedFrom else { return }
    for part in due {
      let facts = FeatureHistory.Facts(
        revision: part.revision, knownMilliseconds: known, partition: partition.partition, offset: offset)
      var start = 0
      while start < part.keys.count {
        let end = min(start + TaskStore.chunkRows, part.keys.count)
        try write(part, start..<end, facts, watermark: before)
        start = end
      }
    }
  }

  /// The watermark moved without an end of a tile.
  func advance(to next: Int64) { watermark = max(watermark, next) }

  private func write(
    _ part: TileTouches.Due, _ range: Range<Int>, _ facts: FeatureHistory.Facts, watermark: Int64
  ) throws(HeadraceError) {
    features.removeAll()
    try store.read(
      view: storeView, keys: part.keys, range: range, at: part.time, watermark: watermark, into: &features)
    try spool.append(table) { columns in
      columns.append(parts: keyCount, of: part.keys, range)
      for _ in range { columns.columns[keyCount].append(part.time &* 1_000) }
      appendFeatures(to: &columns)
      for index in 0..<range.count { append(facts, index, to: &columns) }
      columns.rowCount += range.count
    }
  }
}
