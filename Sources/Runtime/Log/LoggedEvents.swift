package import Columns
internal import Contracts
package import Core
internal import Expressions
internal import Features
package import Kafka
package import OfflineStore
internal import OnlineStore
package import Topology

/// The events of a source as the log has them, for datasets of what is in no archive. About each record is decided what
/// a task decides of it: both are functions of the same prefix, so a log whose beginning is gone is refused.
package struct LoggedEvents: DatasetEvents {
  private let source: SourcePlan
  /// Of every view of the source, as late as they count.
  private let layouts: [ViewLayout]
  private let client: ClientConfiguration
  private let ranges: [LogRange]

  /// - Parameter ends: by partition, the offset behind the last record that counts; nil reads all that is there now.
  /// - Throws: LOG_INCOMPLETE when the first records are gone.
  package init(
    _ plan: Plan, source index: Int, client: ClientConfiguration, ends: [Int32: Int64]? = nil
  ) throws(HeadraceError) {
    source = plan.sources[index]
    layouts = plan.views.filter { $0.source == index }.map(\.layout)
    self.client = client
    var ranges: [LogRange] = []
    for range in try LogRange.all(of: source.topic, client) {
      let end = ends.map { $0[range.partition.partition] ?? 0 } ?? range.offsets.upperBound
      guard range.offsets.lowerBound == 0 || end == 0, end <= range.offsets.upperBound else {
        throw HeadraceError(
          .user, "LOG_INCOMPLETE",
          "the log has offsets \(range.offsets.lowerBound) to \(range.offsets.upperBound), and 0 to \(end) are needed",
          place: "\(range.partition)", remedy: "archive the source (`archive: on`), or keep its topic longer")
      }
      ranges.append(LogRange(range.partition, 0..<end))
    }
    self.ranges = ranges
  }

  package var origin: EventOrigin {
    EventOrigin(
      source: source.name, topic: source.topic,
      offsets: ranges.map { ("\($0.partition.partition)", $0.offsets.upperBound) })
  }
  package var pieceCount: Int { ranges.count }
  package var rowCount: Int { ranges.reduce(0) { $0 + $1.offsets.count } }

  package func forEachBatch(
    of piece: Int, _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    var reading = try LogDecisions(source, layouts, ranges[piece].partition, partitionCount: Int32(ranges.count))
    do {
      try ranges[piece].forEachBatch(client) { records, range in
        let (batch, count) = try reading.decide(records, range)
        try body(batch)
        return count
      }
    } catch {
      throw error as? HeadraceError ?? HeadraceError(.internal, "LOG", "\(error)", place: "\(ranges[piece].partition)")
    }
  }
}

/// Decides about the records of one partition, as `SourcePipeline` does, without a store.
private struct LogDecisions {
  private let source: SourcePlan
  private let layouts: [ViewLayout]
  private let topic: [UInt8]
  private let partition: TopicPartition
  private let decoder: RecordDecoder
  private var decisions: RowDecisions
  private var batch: ColumnBatch
  private var derived: [Column]
  private var filter: Column?
  private var scratch = ExpressionScratch()
  private var ids = RecentIDs()

  init(
    _ source: SourcePlan, _ layouts: [ViewLayout], _ partition: TopicPartition, partitionCount: Int32
  ) throws(HeadraceError) {
    self.source = source
    self.layouts = layouts
    self.partition = partition
    topic = Array(partition.topic.utf8)
    decoder = try RecordDecoder(contract: source.contract, format: source.format, columns: source.columns)
    decisions = RowDecisions(
      source, partition, partitionCount: partitionCount, record: .init(source: source.name))
    batch = decoder.makeBatch()
    derived = source.derived.map { Column($0.expression.type) }
    batch.columns += derived
    filter = source.filter.map { Column($0.type) }
  }

  /// - Returns: the records that an archive would have, and how many of the range are decided.
  mutating func decide(
    _ records: borrowing ConsumedBatch, _ range: Range<Int>
  ) throws(HeadraceError) -> (ColumnBatch, Int) {
    for index in range { decoder.append(records[index].value) }
    try decoder.decode(into: &batch, faults: &decisions.faults)
    let count = decisions.countUntilTransientFault(range.count)
    decisions.readTimes(batch)
    let first = source.columns.count
    for index in derived.indices {
      source.derived[index].expression.evaluate(batch, into: &derived[index], scratch: &scratch)
      swap(&derived[index], &batch.columns[first + index])
    }
    if let expression = source.filter, var column = filter.take() {
      expression.evaluate(batch, into: &column, scratch: &scratch)
      filter = column
    }
    decisions.decide(records, first: range.lowerBound, count: count, filter: filter, nil)
    if let dedupe = source.dedupe {
      let column = batch.columns[dedupe.column]
      decisions.dropDuplicates { row, time, watermark in
        ids.isKnown(column.value(row), time, watermark: watermark, withinMilliseconds: dedupe.withinMilliseconds)
      }
    }
    decisions.sortByLateness(layouts)
    return (archived(records, first: range.lowerBound, count: count), count)
  }

  private func archived(_ records: borrowing ConsumedBatch, first: Int, count: Int) -> ColumnBatch {
    let fieldCount = source.columns.count
    let rows = (0..<count).filter { decisions.outcomes[$0].isArchived }
    var target = ColumnBatch(batch.columns[..<fieldCount].map(\.type) + EventArchive.decisions.map(\.type))
    for column in 0..<fieldCount { target.columns[column].append(rows: rows, of: batch.columns[column]) }
    for row in rows {
      let known = records[first + row].timestampMilliseconds
      let decision = EventArchive.Decision(
        eventTimeMilliseconds: decisions.headers.eventTimesMilliseconds[row],
        knownMilliseconds: known > 0 ? known : nil, watermarkMilliseconds: decisions.watermark(before: row),
        offset: records[first + row].offset)
      let outcome = Array(decisions.outcomes[row].archiveName.utf8)
      unsafe EventArchive.append(
        decision, outcome: outcome.span.bytes, topic: topic.span.bytes, partition: partition.partition, to: &target,
        from: fieldCount)
    }
    target.rowCount = rows.count
    return target
  }
}

/// Ids of events that came before, in memory: those that can still tell a duplicate.
private struct RecentIDs {
  private var times: [Value: Int64] = [:]
  private var sweepAt = 1 << 16

  mutating func isKnown(_ id: Value, _ time: Int64, watermark: Int64, withinMilliseconds within: Int64) -> Bool {
    guard id != .null else { return false }
    let horizon = watermark.subtractingReportingOverflow(within)
    let oldest = horizon.overflow ? .min : horizon.partialValue
    if let before = times[id], before >= oldest { return true }
    times[id] = time
    if times.count >= sweepAt {
      times = times.filter { $0.value >= oldest }
      sweepAt = max(1 << 16, times.count * 2)
    }
    return false
  }
}
