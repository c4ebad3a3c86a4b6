internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import OnlineStore
internal import Topology

/// A topology in memory: events in, features out, without broker, disk, threads or clock.
///
/// It is made of the same contracts, expressions and windows as a worker, and makes the same decisions in the same
/// order (contract, skew, watermark, filter, deduplication, lateness). It is slow where a worker is fast, which is why
/// a worker is not made of it. All records are in one partition.
final class GoldenPipeline {
  let plan: Plan
  private var sources: [GoldenSource]
  private var rows: [[EntityKey: RowBox]]
  private var blocks: [EventBlockBox]

  /// A row that a dictionary can hold.
  private final class RowBox {
    var row: FeatureRow
    init(_ layout: ViewLayout) { row = FeatureRow(layout) }
  }

  private final class EventBlockBox {
    var block: EventBlock
    init(_ layout: ViewLayout) { block = EventBlock(layout) }
  }

  init(_ plan: Plan) throws(HeadraceError) {
    self.plan = plan
    sources = []
    for source in plan.sources { sources.append(try GoldenSource(source)) }
    rows = plan.views.map { _ in [:] }
    blocks = plan.views.map { EventBlockBox($0.layout) }
  }

  /// What became of the records of a source.
  func outcomes(of source: Int) -> [GoldenOutcome: Int64] { sources[source].outcomes }

  /// The furthest event time of a source.
  func watermark(of source: Int) -> Int64 { sources[source].watermark }

  /// Applies records in the order of their arrival.
  func apply(_ events: [TimedEvent]) throws(HeadraceError) {
    for event in events { try apply(event) }
  }

  private func apply(_ event: TimedEvent) throws(HeadraceError) {
    let views = plan.views.indices.filter { plan.views[$0].source == event.source }
    let decided = try sources[event.source].decide(event, views: views.map { plan.views[$0].layout })
    guard let time = decided else { return }
    let batch = sources[event.source].batch
    for index in views {
      let view = plan.views[index]
      if let filter = view.filter, filter.evaluate(batch).value(0) != .boolean(true) { continue }
      let watermark = sources[event.source].watermark
      guard view.layout.ring(eventTime: time, watermark: watermark) != .late,
        let key = EntityKey.encode(view.keyColumns.map { batch.columns[$0].value(0) })
      else { continue }
      blocks[index].block.load(view.inputs.map { $0.evaluate(batch) }, rowCount: 1)
      let box = rows[index][key] ?? RowBox(view.layout)
      rows[index][key] = box
      let position = EventPosition(partition: 0, offset: sources[event.source].offset)
      view.layout.apply(
        &box.row, events: blocks[index].block, index: 0, eventTime: time, position: position, watermark: watermark)
    }
  }

  /// All features of one entity.
  func read(view index: Int, key: EntityKey, at milliseconds: Int64) -> [FeatureValue] {
    let view = plan.views[index]
    let features = Array(view.features.indices)
    var values: [FeatureValue] = []
    guard let box = rows[index][key] else {
      view.layout.readMissing(features: features, into: &values)
      return values
    }
    view.layout.read(
      box.row, at: milliseconds, watermark: sources[view.source].watermark, features: features, into: &values)
    return values
  }
}

/// What becomes of a record; the names are those of `/api/tasks`.
enum GoldenOutcome: String, CaseIterable, Sendable {
  case applied, repaired, filtered, deduplicated, late
  case deadLettered = "dead_lettered"
}

/// Decodes and judges the records of one source.
struct GoldenSource {
  let plan: SourcePlan
  private let decoder: RecordDecoder
  /// One row: the record that was decided last.
  private(set) var batch: ColumnBatch
  private(set) var watermark = Int64.min
  private(set) var offset: Int64 = -1
  private(set) var outcomes: [GoldenOutcome: Int64] = [:]
  private var seen: [Value: Int64] = [:]

  init(_ plan: SourcePlan) throws(HeadraceError) {
    guard plan.format == .json else {
      throw HeadraceError(
        .user, "FORMAT_NOT_JSON", "golden files hold JSON, and this source reads \(plan.format.rawValue)",
        place: "source \(plan.name)", remedy: "test its views with `format: json`: values and rules are the same")
    }
    self.plan = plan
    decoder = try RecordDecoder(contract: plan.contract, format: .json, columns: plan.columns)
    batch = decoder.makeBatch()
  }

  /// The event's time when it counts; nil when it does not.
  mutating func decide(_ event: TimedEvent, views: [ViewLayout]) throws(HeadraceError) -> Int64? {
    offset += 1
    guard let time = try decode(event.value), time &- event.timestampMilliseconds <= plan.maxSkewMilliseconds else {
      count(.deadLettered)
      return nil
    }
    watermark = max(watermark, min(time, event.timestampMilliseconds))
    if let filter = plan.filter, filter.evaluate(batch).value(0) != .boolean(true) {
      count(.filtered)
      return nil
    }
    guard !isDuplicate(time) else {
      count(.deduplicated)
      return nil
    }
    if time >= watermark &- plan.latenessMilliseconds {
      count(.applied)
    } else if views.contains(where: { $0.ring(eventTime: time, watermark: watermark) != .late }) {
      count(.repaired)
    } else {
      count(.late)
      return nil
    }
    return time
  }

  /// What is wrong with the record that was decoded last.
  private(set) var reason: String?

  /// Fills `batch`; the event's time, or nil when the record breaks its contract.
  mutating func decode(_ value: [UInt8]) throws(HeadraceError) -> Int64? {
    var faults: [RecordFault] = []
    batch = decoder.makeBatch()
    unsafe decoder.append(value.span.bytes)
    try decoder.decode(into: &batch, faults: &faults)
    reason = unsafe faults.first?.reason(in: plan.contract, value: value.span.bytes)
    guard faults.isEmpty else { return nil }
    for column in plan.derived { batch.columns.append(column.expression.evaluate(batch)) }
    return eventTimeMilliseconds
  }

  /// The record's key as the source says it, of the record that was decoded last.
  var key: [UInt8]? {
    plan.key.flatMap { EntityKey.encode([batch.columns[$0].value(0)]) }.map(\.bytes)
  }

  private var eventTimeMilliseconds: Int64? {
    let scaled: (partialValue: Int64, overflow: Bool)
    switch batch.columns[plan.eventTime.column].value(0) {
    case .timestamp(let microseconds): scaled = (microseconds / 1_000, false)
    case .date(let days): scaled = days.multipliedReportingOverflow(by: 86_400_000)
    case .integer(let number):
      switch plan.eventTime.unit {
      case .seconds: scaled = number.multipliedReportingOverflow(by: 1_000)
      case .milliseconds: scaled = (number, false)
      case .microseconds: scaled = (number / 1_000, false)
      case .nanoseconds: scaled = (number / 1_000_000, false)
      }
    default: return nil
    }
    return !scaled.overflow && EventTime.sane.contains(scaled.partialValue) ? scaled.partialValue : nil
  }

  private mutating func isDuplicate(_ time: Int64) -> Bool {
    guard let dedupe = plan.dedupe else { return false }
    let identity = batch.columns[dedupe.column].value(0)
    guard identity != .null else { return false }
    if let first = seen[identity], first >= watermark &- dedupe.withinMilliseconds { return true }
    seen[identity] = time
    return false
  }

  private mutating func count(_ outcome: GoldenOutcome) { outcomes[outcome, default: 0] += 1 }
}
