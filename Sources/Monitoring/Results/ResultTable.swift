internal import Columns
package import Core
internal import Delta
internal import Drift
package import Storage

/// The table `drift/MODEL`: a row for each figure of each result.
///
/// Appended exactly once: the table's `txn` of each monitor says up to which window its rows are there.
package struct ResultTable {
  package static let folder = "drift"

  private let store: any BlobStore
  private var tables: [String: DeltaTable] = [:]

  package init(_ store: any BlobStore) { self.store = store }

  static let columns: [(name: String, type: ColumnType)] = [
    ("id", .string), ("monitor", .string), ("model", .string), ("kind", .string), ("window_start", .timestamp),
    ("window_end", .timestamp), ("rows", .integer), ("segment", .string), ("feature", .string), ("test", .string),
    ("value", .double), ("lower", .double), ("upper", .double), ("threshold", .double), ("p_value", .double),
    ("is_drift", .boolean), ("is_alarm", .boolean), ("cause", .string), ("detail", .string),
  ]

  /// Appends those results that are not there yet.
  ///
  /// - Parameter results: of one topology, in the order in which they were made.
  package mutating func append(
    _ results: [MonitorResult], topology: String, nowMilliseconds: Int64
  ) throws(HeadraceError) {
    for model in Set(results.map(\.model)).sorted() {
      try append(
        results.filter { $0.model == model }, model: model, topology: topology, nowMilliseconds: nowMilliseconds)
    }
  }

  private static let attempts = 5

  private mutating func append(
    _ results: [MonitorResult], model: String, topology: String, nowMilliseconds: Int64
  ) throws(HeadraceError) {
    for _ in 0..<Self.attempts {
      var table = try open(model, nowMilliseconds: nowMilliseconds)
      var batch = ColumnBatch(Self.columns.map(\.type))
      var moves: [String: TransactionMove] = [:]
      for result in results {
        let application = "\(topology)/\(result.monitor)/\(result.lane.rawValue)"
        let known = table.snapshot.transactionVersion(application)
        guard known.map({ result.window.endMilliseconds > $0 }) ?? true else { continue }
        moves[application] = TransactionMove(
          applicationID: application, from: known,
          to: max(moves[application]?.to ?? .min, result.window.endMilliseconds))
        Self.append(result, to: &batch)
      }
      guard batch.rowCount > 0 else { return }
      let writer = try TableWriter(table)
      let files: [DataFile]
      do throws(HeadraceError) {
        try writer.append(batch, nowMilliseconds: nowMilliseconds)
        files = try writer.finish(nowMilliseconds: nowMilliseconds)
      } catch {
        writer.abandon()
        throw error
      }
      let ordered = moves.values.sorted { $0.applicationID < $1.applicationID }
      let outcome = try table.commit(.append(files, moves: ordered), nowMilliseconds: nowMilliseconds)
      tables[model] = nil
      if case .committed = outcome {
        tables[model] = table
        return
      }
    }
    throw HeadraceError(
      .external, "TABLE_CONTENDED", "other writers changed the table while results were written", retry: .sameCall,
      place: "\(Self.folder)/\(model)")
  }

  private mutating func open(_ model: String, nowMilliseconds: Int64) throws(HeadraceError) -> DeltaTable {
    if let table = tables[model] { return table }
    let fields = Self.columns.map { DeltaField($0.name, DeltaType($0.type)) }
    let table = try DeltaTable.openOrCreate(
      store, try BlobName("\(Self.folder)/\(model)"), schema: try DeltaSchema(fields), nowMilliseconds: nowMilliseconds)
    tables[model] = table
    return table
  }
}

// Results as rows.
extension ResultTable {
  /// What a row says beside what all rows of its result say.
  private struct Cells {
    var segment: String?
    var feature: String?
    var test: String?
    var value: Double?
    var bounds: (lower: Double, upper: Double)?
    var threshold: Double?
    var pValue: Double?
    var isDrift = false
    var isAlarm = false
    var cause: String?
    var detail: String?
  }

  static func append(_ result: MonitorResult, to batch: inout ColumnBatch) {
    for cells in rows(of: result) {
      let values: [Value] = [
        .string(result.id), .string(result.monitor), .string(result.model), .string(result.kind),
        .timestamp(result.window.startMilliseconds.multipliedClamped(1_000)),
        .timestamp(result.window.endMilliseconds.multipliedClamped(1_000)), .integer(Int64(result.window.rowCount)),
        cells.segment.map(Value.string) ?? .null, cells.feature.map(Value.string) ?? .null,
        cells.test.map(Value.string) ?? .null, number(cells.value), number(cells.bounds?.lower),
        number(cells.bounds?.upper), number(cells.threshold), number(cells.pValue), .boolean(cells.isDrift),
        .boolean(cells.isAlarm), cells.cause.map(Value.string) ?? .null, cells.detail.map(Value.string) ?? .null,
      ]
      for (column, value) in values.enumerated() where !batch.columns[column].append(value) {
        batch.columns[column].appendNull()
      }
      batch.rowCount += 1
    }
  }

  private static func number(_ value: Double?) -> Value { value.flatMap { $0.isNaN ? nil : .double($0) } ?? .null }

  private static func rows(of result: MonitorResult) -> [Cells] {
    let whole = { String(decoding: result.json, as: UTF8.self) }
    switch result.content {
    case .window, .labels:
      return result.features.flatMap { feature in
        // What is outside its limits says why, once for all of its tests.
        let place = feature.alarm.map { alarm in feature.tests.firstIndex { $0.test == alarm.drift.test } ?? 0 }
        return feature.tests.enumerated().map { index, test in
          let estimate = test.score.estimate
          return Cells(
            feature: feature.feature, test: test.test.rawValue, value: estimate.value,
            bounds: (estimate.lowerBound, estimate.upperBound), threshold: test.threshold?.value,
            pValue: feature.adjustedPValue, isDrift: test.isDrift, isAlarm: feature.isAlarm,
            cause: feature.alarm?.drift.cause.code,
            detail: index == place ? feature.alarm.map { String(decoding: $0.json, as: UTF8.self) } : nil)
        }
      }
    case .alarm(let alarm):
      return [
        Cells(
          feature: alarm.drift.feature, test: alarm.drift.test.rawValue, value: alarm.drift.value,
          threshold: alarm.drift.threshold, pValue: alarm.drift.adjustedPValue, isDrift: true,
          isAlarm: alarm.mutedBy == nil, cause: alarm.drift.cause.code, detail: whole())
      ]
    case .resolved(let alarm):
      return [
        Cells(
          feature: alarm.life.feature, test: alarm.life.newest.test, value: alarm.life.newest.value,
          threshold: alarm.life.newest.threshold, cause: alarm.life.newest.cause, detail: whole())
      ]
    case .digest: return [Cells(detail: whole())]
    case .change(let change):
      return [
        Cells(
          feature: change.feature, test: change.detectors.joined(separator: "+"), value: change.deviation,
          isDrift: true, detail: whole())
      ]
    case .performance(let performance), .estimate(let performance):
      return performance.figures.map { figure in
        Cells(
          segment: performance.segment, test: figure.metric, value: figure.interval.value,
          bounds: (figure.interval.lower, figure.interval.upper),
          isAlarm: performance.brokenBounds.contains(figure.metric))
      }
    }
  }
}
