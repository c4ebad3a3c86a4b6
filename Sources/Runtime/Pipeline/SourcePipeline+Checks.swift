internal import Columns
internal import Contracts
internal import Core
internal import Features
internal import Glibc
internal import Kafka
internal import OnlineStore
internal import Topology

// The order of checks (DESIGN section 3): contract → skew → the watermark moves → filter → deduplication → lateness.

extension SourcePipeline {
  /// Contract, skew, watermark and filter: what becomes of each row as far as it can be said of the row alone. The rows
  /// that go on are in `rows`.
  func decide(
    _ records: borrowing ConsumedBatch, _ first: Int, _ count: Int, _ outputs: TaskOutputs?
  ) throws(HeadraceError) {
    headers.removeAll()
    rows.removeAll(keepingCapacity: true)
    outcomes.removeAll(keepingCapacity: true)
    var fault = 0
    var watermark = record.watermark
    for row in 0..<count {
      let message = records[first + row]
      var time = times[row]
      var outcome = Outcome.applied
      if fault < faults.count, faults[fault].row == row {
        outputs?.deadLetter(message, partition, source, faults[fault])
        fault += 1
        outcome = .deadLettered
      } else if isAhead(time, of: message.timestampMilliseconds) {
        let fault = RecordFault(row: row, code: .eventTimeAhead, path: eventTime.path, found: .integer(time))
        outputs?.deadLetter(message, partition, source, fault)
        outcome = .deadLettered
      } else {
        let known = message.timestampMilliseconds
        watermark = max(watermark, known > 0 ? min(time, known) : time)
        if let filter, !filter.isValid[row] || filter.integers[row] == 0 {
          outcome = .filtered
        } else {
          rows.append(row)
        }
      }
      if outcome == .deadLettered { time = 0 }
      outcomes.append(outcome)
      headers.append(offset: message.offset, eventTimeMilliseconds: time, watermarkMilliseconds: watermark)
    }
    record.watermark = watermark
  }

  /// An event from the future is a broken clock, and would end everybody's windows.
  @inline(__always)
  private func isAhead(_ time: Int64, of known: Int64) -> Bool {
    known > 0 && time &- known > source.maxSkewMilliseconds
  }

  /// Of records with the same id the first in the log counts.
  func dropDuplicates(_ count: Int) throws(HeadraceError) {
    guard let dedupe, let column = source.dedupe?.column, !rows.isEmpty else { return }
    eventIDs.encode(batch.columns, parts: [column], rowCount: batch.rowCount)
    if isDuplicate.count < count { isDuplicate += repeatElement(false, count: count - isDuplicate.count) }
    try dedupe.check(ids: eventIDs, rows: rows, headers: headers, isDuplicate: &isDuplicate)
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

  /// The three rings, by arithmetic on the watermark: the best one over the views of the source counts.
  func sortByLateness() {
    var kept = 0
    for row in rows {
      let time = headers.eventTimesMilliseconds[row]
      let watermark = headers.watermarksMilliseconds[row]
      if time < watermark &- source.latenessMilliseconds {
        outcomes[row] = ring(time, watermark)
        if outcomes[row] == .late { continue }
      }
      rows[kept] = row
      kept += 1
    }
    rows.removeLast(rows.count - kept)
  }

  private func ring(_ time: Int64, _ watermark: Int64) -> Outcome {
    var best = Ring.late
    for layout in layouts { best = max(best, layout.ring(eventTime: time, watermark: watermark)) }
    // It is older than the source's lateness, whatever a view with a longer one says.
    return best == .late ? .late : .repaired
  }

  /// Counts, digest, the late topic, and whether records are where their keys belong.
  func settle(_ records: borrowing ConsumedBatch, _ first: Int, _ count: Int, _ outputs: TaskOutputs?) {
    var digest = record.digest
    var counts = record.counts
    for row in 0..<count {
      let message = records[first + row]
      let outcome = outcomes[row]
      counts.count(outcome)
      let (hash, isMisplaced) = place(message, row, outcome)
      if isMisplaced { counts.misplaced &+= 1 }
      digest.add(offset: message.offset, outcome: outcome, keyHash: hash)
      if outcome == .late {
        outputs?.late(message, partition, source, watermark: headers.watermarksMilliseconds[row])
      }
    }
    record.digest = digest
    record.counts = counts
  }

  /// The hash of the record's key, and whether the key is not what, or not where, the source says.
  @inline(__always)
  private func place(
    _ message: borrowing ConsumedRecord, _ row: Int, _ outcome: Outcome
  ) -> (hash: UInt64, isMisplaced: Bool) {
    guard let key = unsafe message.keyBytes else { return (0, source.partitioner != nil) }
    var isMisplaced = false
    if let partitioner = source.partitioner {
      isMisplaced = unsafe partitioner.partition(key: key, partitionCount: partitionCount) != partition.partition
    }
    guard let recordKey, outcome != .deadLettered else { return (unsafe Hash64.hash(key), isMisplaced) }
    // The hash of the key field was made for the rows already.
    if keys[recordKey].isValid[row], unsafe keys[recordKey].isEqual(row, to: key) {
      return (keys[recordKey].hashes[row], isMisplaced)
    }
    return (unsafe Hash64.hash(key), true)
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
