internal import Columns
internal import Contracts
internal import Core
internal import Features
internal import Glibc
internal import Kafka
internal import OnlineStore
internal import Topology

/// What becomes of the records of one batch, row by row, in the order of checks (DESIGN section 3): contract → skew →
/// the watermark moves → filter → deduplication → lateness.
///
/// A value with all buffers of these loops: a step over a batch is one access to the pipeline that owns it. Buffers are
/// kept from batch to batch.
struct RowDecisions {
  private let source: SourcePlan
  private let partition: TopicPartition
  private let partitionCount: Int32
  private let eventTime: EventTimeReader
  /// What was decided up to here: what a checkpoint keeps.
  private(set) var record: CheckpointRecord.SourceRecord

  /// At most one for a row, in the order of the rows.
  var faults: [RecordFault] = []
  private(set) var times: [Int64] = []
  private(set) var headers: EventHeaders
  private(set) var outcomes: [Outcome] = []
  /// Rows that go on: first past the filter, then those that are no duplicates, then those that are not late.
  private(set) var rows: [Int] = []
  private var isDuplicate: [Bool] = []
  /// Before the first row of the batch.
  private var watermarkBefore = Int64.min

  /// - Parameters:
  ///   - partition: of this source in its topic, for messages and the dead-letter topic.
  ///   - record: what an earlier life decided.
  init(
    _ source: SourcePlan, _ partition: TopicPartition, partitionCount: Int32, record: CheckpointRecord.SourceRecord
  ) {
    self.source = source
    self.partition = partition
    self.partitionCount = partitionCount
    self.record = record
    headers = EventHeaders(partition: partition.partition)
    eventTime = EventTimeReader(
      column: source.eventTime.column, path: source.contract.fields[source.columns[source.eventTime.column]].path,
      unit: source.eventTime.unit)
  }

  /// Rows in front of the first whose schema nobody could be asked for.
  func countUntilTransientFault(_ count: Int) -> Int {
    guard !faults.isEmpty, let fault = faults.first(where: { $0.code.isTransient }) else { return count }
    return fault.row
  }

  mutating func readTimes(_ batch: borrowing ColumnBatch) {
    eventTime.read(batch, into: &times, faults: &faults)
  }

  /// Contract, skew, watermark and filter: what becomes of each row as far as it can be said of the row alone.
  mutating func decide(
    _ records: borrowing ConsumedBatch, first: Int, count: Int, filter: Column?, _ outputs: TaskOutputs?
  ) {
    headers.removeAll()
    rows.removeAll(keepingCapacity: true)
    outcomes.removeAll(keepingCapacity: true)
    var fault = 0
    var watermark = record.watermark
    watermarkBefore = watermark
    let maxSkew = source.maxSkewMilliseconds
    for row in 0..<count {
      let message = records[first + row]
      let known = message.timestampMilliseconds
      var time = times[row]
      var outcome = Outcome.applied
      if fault < faults.count, faults[fault].row == row {
        outputs?.deadLetter(message, partition, source, faults[fault])
        fault += 1
        outcome = .deadLettered
      } else if known > 0, time &- known > maxSkew {
        // An event from the future is a broken clock, and would end everybody's windows.
        let fault = RecordFault(row: row, code: .eventTimeAhead, path: eventTime.path, found: .integer(time))
        outputs?.deadLetter(message, partition, source, fault)
        outcome = .deadLettered
      } else {
        watermark = max(watermark, known > 0 ? min(time, known) : time)
        if filter.passes(row) { rows.append(row) } else { outcome = .filtered }
      }
      if outcome == .deadLettered { time = 0 }
      outcomes.append(outcome)
      headers.append(offset: message.offset, eventTimeMilliseconds: time, watermarkMilliseconds: watermark)
    }
    record.watermark = watermark
  }

  /// Gives away what was decided of a batch, for other buffers.
  mutating func exchange(rows: inout [Int], headers: inout EventHeaders) {
    swap(&rows, &self.rows)
    swap(&headers, &self.headers)
    self.headers.partition = partition.partition
  }

  /// The same for events of the archive.
  ///
  /// A watermark that the archive says stood before an event counts as long as its times are those that this source
  /// reads: it knows of duplicates, which the archive has not.
  mutating func decide(_ events: borrowing ArchivedRows, _ range: Range<Int>, filter: Column?) {
    headers.removeAll()
    rows.removeAll(keepingCapacity: true)
    outcomes.removeAll(keepingCapacity: true)
    var fault = 0
    var watermark = record.watermark
    watermarkBefore = watermark
    for row in 0..<range.count {
      let event = range.lowerBound + row
      let known = events.knownMilliseconds(event)
      var time = times[row]
      var outcome = Outcome.applied
      let isFaulty = fault < faults.count && faults[fault].row == row
      if isFaulty { fault += 1 }
      if isFaulty || (known > 0 && time &- known > source.maxSkewMilliseconds) {
        outcome = .deadLettered
        time = 0
      } else {
        if time == events.eventTimeMilliseconds(event) {
          watermark = max(watermark, events.watermarkMilliseconds(event) ?? .min)
        }
        watermark = max(watermark, known > 0 ? min(time, known) : time)
        if filter.passes(row) { rows.append(row) } else { outcome = .filtered }
      }
      outcomes.append(outcome)
      headers.append(offset: events.offset(event), eventTimeMilliseconds: time, watermarkMilliseconds: watermark)
    }
    record.watermark = watermark
  }

  /// What stood before the next record, as somebody knows who has read all records before it.
  mutating func raise(watermark: Int64) { record.watermark = max(record.watermark, watermark) }

  /// Counts what became of events of the archive. The digest is one of records, and has no part in it.
  mutating func settle(archived count: Int) {
    for row in 0..<count { record.counts.count(outcomes[row]) }
  }

  /// Of records with the same id the first in the log counts.
  mutating func dropDuplicates(
    _ table: DedupeTable, _ ids: borrowing EntityKeys, count: Int
  ) throws(HeadraceError) {
    if isDuplicate.count < count { isDuplicate += repeatElement(false, count: count - isDuplicate.count) }
    try table.check(ids: ids, rows: rows, headers: headers, isDuplicate: &isDuplicate)
    dropDuplicates()
  }

  /// The same by another table of ids.
  mutating func dropDuplicates(where isKnown: (_ row: Int, _ time: Int64, _ watermark: Int64) -> Bool) {
    isDuplicate = [Bool](repeating: false, count: outcomes.count)
    for row in rows {
      isDuplicate[row] = isKnown(row, headers.eventTimesMilliseconds[row], headers.watermarksMilliseconds[row])
    }
    dropDuplicates()
  }

  private mutating func dropDuplicates() {
    var kept = 0
    for row in rows {
      if isDuplicate[row] {
        outcomes[row] = .deduplicated
      } else {
        rows[kept] = row
        kept += 1
      }
    }
    rows.removeLast(rows.count - kept)
  }

  /// The partition's watermark before a row; nil before the first valid record.
  func watermark(before row: Int) -> Int64? {
    let watermark = row == 0 ? watermarkBefore : headers.watermarksMilliseconds[row - 1]
    return watermark == .min ? nil : watermark
  }

  /// The three rings, by arithmetic on the watermark: the best one over the views of the source counts.
  mutating func sortByLateness(_ layouts: [ViewLayout]) {
    let lateness = source.latenessMilliseconds
    var kept = 0
    for position in rows.indices {
      let row = rows[position]
      let time = headers.eventTimesMilliseconds[row]
      let watermark = headers.watermarksMilliseconds[row]
      if time < watermark &- lateness {
        outcomes[row] = Self.ring(time, watermark, layouts)
        if outcomes[row] == .late { continue }
      }
      rows[kept] = row
      kept += 1
    }
    rows.removeLast(rows.count - kept)
  }

  private static func ring(_ time: Int64, _ watermark: Int64, _ layouts: [ViewLayout]) -> Outcome {
    var best = Ring.late
    for layout in layouts { best = max(best, layout.ring(eventTime: time, watermark: watermark)) }
    // It is older than the source's lateness, whatever a view with a longer one says.
    return best == .late ? .late : .repaired
  }

  /// Counts, digest, the late topic, and whether records are where their keys belong.
  ///
  /// - Parameter recordKeys: of the rows, made of the field that is the record's key; nil when that is not checked.
  mutating func settle(
    _ records: borrowing ConsumedBatch, first: Int, count: Int, recordKeys: EntityKeys?,
    _ outputs: TaskOutputs?
  ) {
    var digest = record.digest
    var counts = record.counts
    let partitioner = source.partitioner
    for row in 0..<count {
      let message = records[first + row]
      let outcome = outcomes[row]
      counts.count(outcome)
      var hash: UInt64 = 0
      var isMisplaced = partitioner != nil
      if let key = unsafe message.keyBytes {
        isMisplaced = unsafe isElsewhere(key, partitioner)
        // The hash of the key field was made for the rows already.
        let known = outcome == .deadLettered ? nil : unsafe recordKeys.hash(row, ifEqualTo: key)
        hash = unsafe known ?? Hash64.hash(key)
        if known == nil, recordKeys != nil, outcome != .deadLettered { isMisplaced = true }
      }
      if isMisplaced { counts.misplaced &+= 1 }
      digest.add(offset: message.offset, outcome: outcome, keyHash: hash)
      if outcome == .late {
        outputs?.late(message, partition, source, watermark: headers.watermarksMilliseconds[row])
      }
    }
    record.digest = digest
    record.counts = counts
  }

  @inline(__always)
  private func isElsewhere(_ key: UnsafeRawBufferPointer, _ partitioner: Partitioner?) -> Bool {
    guard let partitioner else { return false }
    return unsafe partitioner.partition(key: key, partitionCount: partitionCount) != partition.partition
  }

  /// A record of which only the offset is known.
  mutating func passOver(_ offset: Int64) {
    record.counts.count(.deadLettered)
    record.digest.add(offset: offset, outcome: .deadLettered, keyHash: 0)
  }

  /// The rows that a view takes: its filter is true, its entity is known, and some window of it still counts them.
  mutating func select(
    into selected: inout [Int], keys: borrowing EntityKeys, filter: Column?, layout: ViewLayout
  ) {
    selected.removeAll(keepingCapacity: true)
    for row in rows {
      // Such a key is no name of a thing, and a delta of its row would not fit into a record.
      guard keys.isValid[row], keys.text[row].byteCount <= EntityKey.bytesMaximum else {
        record.counts.withoutEntity &+= 1
        continue
      }
      guard filter.passes(row) else { continue }
      if outcomes[row] == .repaired {
        let ring = layout.ring(
          eventTime: headers.eventTimesMilliseconds[row], watermark: headers.watermarksMilliseconds[row])
        if ring == .late { continue }
      }
      selected.append(row)
    }
  }
}

extension Optional<Column> {
  /// Whether a filter is true of a row; none is true of all.
  @inline(__always)
  fileprivate func passes(_ row: Int) -> Bool {
    switch self {
    case .none: true
    case .some(let filter): filter.isValid[row] && filter.integers[row] != 0
    }
  }
}

extension Optional<EntityKeys> {
  /// The hash of a row's key if that is the record's key too.
  @inline(__always)
  fileprivate func hash(_ row: Int, ifEqualTo key: UnsafeRawBufferPointer) -> UInt64? {
    switch self {
    case .none: nil
    case .some(let keys): unsafe keys.isValid[row] && keys.isEqual(row, to: key) ? keys.hashes[row] : nil
    }
  }
}

extension EntityKeys {
  @inline(__always)
  fileprivate func isEqual(_ row: Int, to key: UnsafeRawBufferPointer) -> Bool {
    unsafe text[row].withUnsafeBytes { text in
      guard text.count == key.count else { return false }
      guard let left = text.baseAddress, let right = key.baseAddress else { return true }
      return unsafe memcmp(left, right, key.count) == 0
    }
  }
}
