internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import OfflineStore
internal import Parquet
internal import Storage
internal import Topology

/// The rows that a model is trained on, out of the archive: each event that it scored, the truth about it, and where
/// it stood in the log, so that the dataset sees what the stream saw.
struct LabelRows {
  /// The column of the truth.
  static let label = "label"

  private let plan: Plan
  private let model: ModelPlan
  private let stream: StreamModelPlan
  private let truth: LabelPlan
  private let tables: any BlobStore
  private let times: Range<Int64>
  private let extraColumns: [String]

  /// - Parameters:
  ///   - times: of the events, in event time; truths that came later do not count.
  ///   - extraColumns: fields of the events that go along, for slices.
  /// - Throws: LABELS_INVALID for a model that has none.
  init(
    _ plan: Plan, model index: Int, tables: any BlobStore, times: Range<Int64>, extraColumns: [String]
  ) throws(HeadraceError) {
    model = plan.models[index]
    guard let stream = model.stream, let truth = model.label else {
      throw HeadraceError(.user, "LABELS_INVALID", "the model has no `label`", place: model.name)
    }
    self.plan = plan
    self.stream = stream
    self.truth = truth
    self.tables = tables
    self.times = times
    self.extraColumns = extraColumns
  }

  /// The time of the newest archived event of a model's source.
  ///
  /// - Throws: ARCHIVE_MISSING.
  static func newestMilliseconds(
    _ plan: Plan, model: Int, tables: any BlobStore
  ) throws(HeadraceError) -> Int64 {
    var newest = Int64.min
    try ArchivedScope(plan.sources[plan.models[model].source], tables).forEachBatch { (batch) throws(HeadraceError) in
      newest = max(newest, batch.eventTimes.max() ?? .min)
    }
    return max(newest, 0)
  }

  /// What was found.
  struct Count {
    var rows = 0
    /// Of all events that were read, labelled or not; nil when there is none.
    var newestMilliseconds: Int64?
    var versions: [String: Int64] = [:]
  }

  /// Whether the truth stands in the event itself.
  private var isOwnTruth: Bool { truth.source == model.source && truth.matchColumn == truth.labelMatchColumn }

  /// Columns of the events: keys and request fields under the names that the service knows, then what goes along.
  private var carried: [(name: String, column: Int)] {
    let service = plan.services[model.service]
    let source = plan.sources[model.source]
    var carried: [(name: String, column: Int)] = []
    func add(_ name: String, _ column: Int) {
      if !carried.contains(where: { $0.name == name }) { carried.append((name, column)) }
    }
    for (view, columns) in zip(service.views, stream.keyColumns) {
      for (key, column) in zip(plan.entities[plan.views[view].entity].keys, columns) { add(key, column) }
    }
    for (field, column) in zip(service.requestFields, stream.requestColumns) {
      add(plan.requestFields[field].name, column)
    }
    for name in extraColumns {
      if let column = source.scope.firstIndex(where: { $0.name == name }) { add(name, column) }
    }
    return carried
  }

  /// Writes them to a Parquet file, which appears as a whole.
  func write(to path: String) throws(HeadraceError) -> Count {
    var count = Count()
    let truths = isOwnTruth ? nil : try self.truths(&count)
    let source = plan.sources[model.source]
    let reader = try ArchivedScope(source, tables)
    count.versions[EventArchive.name(source: source.name)] = reader.version
    let carried = self.carried
    let types = carried.map { source.scope[$0.column].type } + [.timestamp, .string, .integer, .integer, .double]
    let names = carried.map(\.name) + ["_event_time", "_topic", "_partition", "_offset", Self.label]
    let writer = try ParquetWriter(
      schema: try ParquetSchema(zip(names, types).map { ParquetField.column($0, $1) }))
    var bytes: [UInt8] = []
    var value = Column(truth.value.type)
    try reader.forEachBatch { (batch) throws(HeadraceError) in
      if truths == nil { batch.evaluate(truth.value, into: &value) }
      var out = ColumnBatch(types)
      for row in batch.rows {
        let time = batch.eventTimes[row]
        count.newestMilliseconds = max(count.newestMilliseconds ?? .min, time)
        guard times.contains(time) else { continue }
        let known =
          truths.map { $0.value(of: batch.hash(truth.matchColumn, row), at: time, within: truth.withinMilliseconds) }
          ?? Self.number(value, row)
        guard let known else { continue }
        for (index, column) in carried.enumerated() {
          out.columns[index].append(row, of: batch.scope.columns[column.column])
        }
        batch.appendPlace(row, to: &out, from: carried.count)
        out.columns[carried.count + 4].append(known)
        out.rowCount += 1
      }
      count.rows += out.rowCount
      if out.rowCount > 0 { try writer.append(out) }
      bytes += writer.takeOutput()
    }
    try writer.finish()
    bytes += writer.takeOutput()
    try NewFile.replace(path, with: bytes)
    return count
  }

  private func truths(_ count: inout Count) throws(HeadraceError) -> TruthTable {
    let source = plan.sources[truth.source]
    let reader = try ArchivedScope(source, tables)
    count.versions[EventArchive.name(source: source.name)] = reader.version
    var table = TruthTable()
    var value = Column(truth.value.type)
    try reader.forEachBatch { (batch) throws(HeadraceError) in
      batch.evaluate(truth.value, into: &value)
      for row in batch.rows {
        guard batch.eventTimes[row] <= times.upperBound, let number = Self.number(value, row) else { continue }
        table.add(batch.hash(truth.labelMatchColumn, row), at: batch.eventTimes[row], number)
      }
    }
    return table
  }

  private static func number(_ column: Column, _ row: Int) -> Double? {
    guard column.isValid[row] else { return nil }
    switch column.type.storage {
    case .integers: return Double(column.integers[row])
    case .doubles: return column.doubles[row].isNaN ? nil : column.doubles[row]
    case .text, .decimals: return nil
    }
  }
}

/// Truths by what they are matched with. As monitors join them: the earliest one from the event's time on.
private struct TruthTable {
  private var truths: [UInt64: [(time: Int64, value: Double)]] = [:]

  mutating func add(_ key: UInt64, at time: Int64, _ value: Double) {
    if key != 0 { truths[key, default: []].append((time, value)) }
  }

  func value(of key: UInt64, at time: Int64, within: Int64) -> Double? {
    var best: (time: Int64, value: Double)?
    for truth in truths[key] ?? [] where truth.time >= time && truth.time - time <= within {
      guard let known = best else {
        best = truth
        continue
      }
      if truth.time < known.time || (truth.time == known.time && truth.value > known.value) { best = truth }
    }
    return best?.value
  }
}

/// The archived events of a source with all that its expressions read.
private final class ArchivedScope {
  private let source: SourcePlan
  private let labels: TableLabels
  private let positions: [Int]
  private let places: [Int]
  private let outcome: Int
  private let time: Int

  var version: Int64 { labels.origin.version ?? 0 }

  /// - Throws: ARCHIVE_MISSING.
  init(_ source: SourcePlan, _ tables: any BlobStore) throws(HeadraceError) {
    self.source = source
    let name = EventArchive.name(source: source.name)
    func missing(_ what: String) -> HeadraceError {
      HeadraceError(
        .user, "ARCHIVE_MISSING", what, place: "\(tables.place)/\(name)",
        remedy: "policies train on archived events: publish some, wait for --table-freshness, and leave `archive` on")
    }
    let found: TableLabels
    do throws(HeadraceError) {
      found = try TableLabels(tables, name: name)
    } catch {
      guard error.code == "LABELS_INVALID" else { throw error }
      throw missing("there is no table of archived events")
    }
    func position(_ column: String) throws(HeadraceError) -> Int {
      guard let index = found.names.firstIndex(of: column) else { throw missing("there is no column \(column)") }
      return index
    }
    var positions: [Int] = []
    for column in source.columns { positions.append(try position(source.contract.fields[column].path)) }
    let places = [
      try position("_event_time"), try position("_topic"), try position("_partition"), try position("_offset"),
    ]
    labels = found
    self.positions = positions
    self.places = places
    outcome = try position("_outcome")
    time = places[0]
  }

  func forEachBatch(_ body: (inout ScopeBatch) throws(HeadraceError) -> Void) throws(HeadraceError) {
    try labels.forEachBatch { (table) throws(HeadraceError) in
      var scope = ColumnBatch(
        columns: positions.map { table.columns[$0] } + source.derived.map { Column($0.expression.type) },
        rowCount: table.rowCount)
      var scratch = ExpressionScratch()
      for (index, derived) in source.derived.enumerated() {
        var column = Column(derived.expression.type)
        derived.expression.evaluate(scope, into: &column, scratch: &scratch)
        scope.columns[positions.count + index] = column
      }
      var passes: Column?
      if let filter = source.filter {
        var column = Column(filter.type)
        filter.evaluate(scope, into: &column, scratch: &scratch)
        passes = column
      }
      let outcomes = table.columns[outcome]
      let rows = (0..<table.rowCount).filter { row in
        if let passes, !passes.isValid[row] || passes.integers[row] == 0 { return false }
        return ["applied", "repaired"].contains(outcomes.text.string(row))
      }
      var batch = ScopeBatch(
        scope: scope, rows: rows, eventTimes: table.columns[time].integers.map { $0 / 1_000 },
        places: places.map { table.columns[$0] })
      try body(&batch)
    }
  }
}

private struct ScopeBatch {
  let scope: ColumnBatch
  /// Those that count.
  let rows: [Int]
  let eventTimes: [Int64]
  let places: [Column]
  private var scratch = ExpressionScratch()

  init(scope: ColumnBatch, rows: [Int], eventTimes: [Int64], places: [Column]) {
    self.scope = scope
    self.rows = rows
    self.eventTimes = eventTimes
    self.places = places
  }

  mutating func evaluate(_ expression: Expression, into column: inout Column) {
    expression.evaluate(scope, into: &column, scratch: &scratch)
  }

  func appendPlace(_ row: Int, to out: inout ColumnBatch, from first: Int) {
    for index in places.indices { out.columns[first + index].append(row, of: places[index]) }
  }

  /// The same for the same value in every source; 0 for null.
  func hash(_ column: Int, _ row: Int) -> UInt64 {
    let column = scope.columns[column]
    guard column.isValid[row] else { return 0 }
    let bytes: [UInt8] =
      switch column.type.storage {
      case .text: Array(column.text.string(row).utf8)
      case .integers: Array("\(column.integers[row])".utf8)
      case .doubles: Array("\(column.doubles[row])".utf8)
      case .decimals: Array("\(column.decimals[row])".utf8)
      }
    return unsafe max(Hash64.hash(bytes.span.bytes), 1)
  }
}
