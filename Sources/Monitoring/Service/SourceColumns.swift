internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Kafka
internal import Topology

/// Decodes the records of a source into its scope: its fields, and what it derives from them.
final class SourceColumns {
  private let source: SourcePlan
  private let decoder: RecordDecoder
  private let times: EventTimeReader
  private(set) var batch: ColumnBatch
  private(set) var eventTimes: [Int64] = []
  private(set) var faults: [RecordFault] = []
  private var derived: [Column]
  private var scratch = ExpressionScratch()
  /// Which batch was read.
  private var lastRead: (partition: Int32, nextOffset: Int64, count: Int)?

  init(_ source: SourcePlan, schemas: any WriterSchemas) throws(HeadraceError) {
    self.source = source
    decoder = try RecordDecoder(
      contract: source.contract, format: source.format, columns: source.columns, schemas: schemas)
    times = EventTimeReader(
      column: source.eventTime.column, path: source.contract.fields[source.columns[source.eventTime.column]].path,
      unit: source.eventTime.unit)
    batch = decoder.makeBatch()
    derived = source.derived.map { Column($0.expression.type) }
    batch.columns += derived
  }

  /// Row k is the k-th record of the batch; those with a fault are null. A batch is read once, whoever asks.
  ///
  /// - Throws: `SCHEMA_NOT_HERE` while the schema of a record is on its way: nothing of the batch counts as read.
  func read(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    let batchRead = (records.partition.partition, records.nextOffset, records.count)
    if let lastRead, lastRead == batchRead { return }
    lastRead = nil
    for index in records.indices { decoder.append(records[index].value) }
    try decoder.decode(into: &batch, faults: &faults)
    try Self.check(faults, topic: source.topic)
    times.read(batch, into: &eventTimes, faults: &faults)
    let first = source.columns.count
    for index in derived.indices {
      source.derived[index].expression.evaluate(batch, into: &derived[index], scratch: &scratch)
      swap(&derived[index], &batch.columns[first + index])
    }
    lastRead = batchRead
  }

  /// A record of which nobody could be asked may be fine later: it is waited for, and never passes for one that breaks
  /// its contract.
  ///
  /// - Throws: `SCHEMA_NOT_HERE`.
  static func check(_ faults: [RecordFault], topic: String) throws(HeadraceError) {
    guard faults.contains(where: { $0.code.isTransient }) else { return }
    throw HeadraceError(
      .external, "SCHEMA_NOT_HERE", "the schema of a record is not here yet", retry: .sameCall, place: topic,
      remedy: "wait for the schema registry")
  }

  func evaluate(_ expression: Expression, into column: inout Column) {
    expression.evaluate(batch, into: &column, scratch: &scratch)
  }

  /// A number for what a row says in a column: the same in every source; 0 for null.
  func hash(_ column: Int, row: Int) -> UInt64 {
    guard batch.columns[column].isValid[row] else { return 0 }
    let hash: UInt64
    if batch.columns[column].type.storage == .text {
      let range = batch.columns[column].text.range(row)
      hash = unsafe batch.columns[column].text.bytes.withUnsafeBytes {
        unsafe Hash64.hash(UnsafeRawBufferPointer(rebasing: $0[range]))
      }
    } else {
      let number =
        batch.columns[column].type.storage == .integers
        ? UInt64(bitPattern: batch.columns[column].integers[row])
        : batch.columns[column].type == .double ? batch.columns[column].doubles[row].bitPattern : 0
      hash = unsafe withUnsafeBytes(of: number.littleEndian) { unsafe Hash64.hash($0) }
    }
    return hash == 0 ? 1 : hash
  }
}

/// The events of a model's source, as far as a monitor wants to know them.
final class EventReader {
  private let columns: SourceColumns
  private let key: Int?
  private let segments: [(name: String, column: Int)]
  /// Numbers of the segments that were seen, by column and hash.
  private var known: [[UInt64: UInt32]]
  private static let knownMaximum = 1 << 17

  init(_ columns: SourceColumns, key: Int?, segments: [(name: String, column: Int)]) {
    self.columns = columns
    self.key = key
    self.segments = segments
    known = .init(repeating: [:], count: segments.count + 1)
  }

  /// - Returns: a row for each record, those that break their contract as refused ones.
  /// - Throws: `SCHEMA_NOT_HERE`: the session begins again at what is saved.
  func read(
    _ records: borrowing ConsumedBatch, _ names: inout SegmentNames
  ) throws(HeadraceError) -> [EventRow] {
    try columns.read(records)
    var rows: [EventRow] = []
    rows.reserveCapacity(records.count)
    var fault = 0
    for row in records.indices {
      if fault < columns.faults.count, columns.faults[fault].row == row {
        while fault < columns.faults.count, columns.faults[fault].row == row { fault += 1 }
        rows.append(.refused(offset: records[row].offset))
        continue
      }
      var event = EventRow(
        offset: records[row].offset, key: key.map { columns.hash($0, row: row) } ?? 0, segments: [])
      for (index, segment) in segments.enumerated() {
        event.segments.append(number(index, segment, row, &names))
      }
      if let producer = producer(records[row], &names) { event.segments.append(producer) }
      rows.append(event)
    }
    return rows
  }

  private func number(
    _ index: Int, _ segment: (name: String, column: Int), _ row: Int, _ names: inout SegmentNames
  ) -> UInt32 {
    let hash = columns.hash(segment.column, row: row)
    if let number = known[index][hash] { return number }
    let value: String =
      switch columns.batch.columns[segment.column].value(row) {
      case .null: "null"
      case .string(let text): text
      case .boolean(let flag): "\(flag)"
      case .integer(let number), .date(let number), .timestamp(let number): "\(number)"
      case .double(let number): "\(number)"
      case .bytes, .decimal, .list: "other"
      }
    return remember(names.number("\(segment.name)=\(value)"), hash, index)
  }

  /// CloudEvents name their producer (`ce_source`); other records say nothing.
  private func producer(_ record: borrowing ConsumedRecord, _ names: inout SegmentNames) -> UInt32? {
    guard let source = record.headers.last("ce_source"), source.byteCount <= 256 else { return nil }
    let hash = Hash64.hash(source)
    if let number = known[segments.count][hash] { return number }
    let text = unsafe source.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    return remember(names.number("\(SegmentNames.producer)=\(text)"), hash, segments.count)
  }

  private func remember(_ number: UInt32, _ hash: UInt64, _ index: Int) -> UInt32 {
    if known[index].count < Self.knownMaximum { known[index][hash] = number }
    return number
  }
}

/// The labels of a model.
final class LabelReader {
  private let columns: SourceColumns
  private let plan: LabelPlan
  private let filter: Expression?
  private var value: Column
  private var passes: Column?

  init(_ columns: SourceColumns, _ source: SourcePlan, _ plan: LabelPlan) {
    self.columns = columns
    self.plan = plan
    filter = source.filter
    value = Column(plan.value.type)
    passes = source.filter.map { Column($0.type) }
  }

  /// - Returns: a row for each record that is valid, passes the source's filter, and has a label.
  /// - Throws: `SCHEMA_NOT_HERE`: the session begins again at what is saved.
  func read(_ records: borrowing ConsumedBatch) throws(HeadraceError) -> [LabelRow] {
    try columns.read(records)
    columns.evaluate(plan.value, into: &value)
    if let filter, var column = passes.take() {
      columns.evaluate(filter, into: &column)
      passes = column
    }
    var faulty = Set<Int>()
    for fault in columns.faults { faulty.insert(fault.row) }
    var rows: [LabelRow] = []
    for row in records.indices where !faulty.contains(row) && value.isValid[row] {
      if let passes, !passes.isValid[row] || passes.integers[row] == 0 { continue }
      let number: Double =
        switch value.type.storage {
        case .integers: Double(value.integers[row])
        case .doubles: value.doubles[row]
        case .text, .decimals: .nan
        }
      rows.append(
        LabelRow(
          key: columns.hash(plan.labelMatchColumn, row: row), timeMilliseconds: columns.eventTimes[row], value: number))
    }
    return rows
  }
}
