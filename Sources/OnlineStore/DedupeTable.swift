internal import Columns
package import Core
internal import Rocks

/// Which events of a source came before: the first in the log wins, within a span of event time.
///
/// An event is a duplicate when one with the same id came before it whose event time is not older than its watermark
/// minus `within`: arithmetic on the log alone, whatever is in memory or was deleted from the disk. Ids are kept as
/// 128-bit hashes with their times, written at the checkpoint of the store that it belongs to, and dropped when the
/// watermark *of the last checkpoint* has passed them: what a replay from there can still ask for stays.
///
/// The worker's: one thread uses it.
package final class DedupeTable {
  static let valueBytes = 8
  /// Of the key on the disk: the group, then the hash.
  static let keyBytes = 4 + 16

  package let source: String
  package let withinMilliseconds: Int64
  let group: UInt32
  private let database: Database
  private let budgetBytes: Int
  /// Two generations. When the younger one has half of the budget, or is as old as `within`, the older one is dropped;
  /// if it still counted, memory is complete only down to what it held.
  private var younger = HashTimes()
  private var older = HashTimes()
  /// What no checkpoint has taken yet, in order.
  private var unsaved: [HashTimes.Entry] = []
  /// What the checkpoint that is being written has taken.
  private var saving: Saving?
  /// Times up to here may be on the disk and not in memory.
  private var incompleteUpTo: Int64
  private var savedNewestTime: Int64
  /// The watermark when the younger generation began.
  private var youngerSince: Int64?
  /// The largest watermark that was asked with.
  private var watermark = Int64.min
  private var lookup = KeyList()
  private var lookupHashes: [Hash128] = []
  /// Of the rows of a chunk.
  private var chunkHashes: [Hash128] = []
  /// What was read only to have it near. Kept, so that the reads stay.
  private var touchedWords: Int64 = 0
  private(set) var counters = Counters()

  private struct Saving {
    var entries: [HashTimes.Entry]
    /// At the moment that the checkpoint is of.
    var newestTime: Int64
    var horizon: Int64
  }

  struct Counters {
    var duplicates: Int64 = 0
    var diskLookups: Int64 = 0
  }

  /// - Parameter savedNewestTime: the newest event time that was ever saved; `Int64.min` of a new table.
  init(
    source: String, group: UInt32, withinMilliseconds: Int64, savedNewestTime: Int64, database: Database,
    budgetBytes: Int
  ) {
    self.source = source
    self.group = group
    self.withinMilliseconds = max(withinMilliseconds, 0)
    self.savedNewestTime = savedNewestTime
    self.database = database
    self.budgetBytes = budgetBytes
    incompleteUpTo = savedNewestTime
  }

  package var unsavedBytes: Int { unsaved.count * (Self.keyBytes + Self.valueBytes) }
  package var memoryBytes: Int { younger.sizeBytes + older.sizeBytes }

  /// Decides for each of `rows`, in their order, whether it is a duplicate, and remembers those that are none.
  ///
  /// - Parameters:
  ///   - ids: the events' ids; a row without one is never a duplicate.
  ///   - rows: indexes into `ids` and `headers`, ascending.
  ///   - isDuplicate: by index of the row; entries of other rows are left alone.
  package func check(
    ids: borrowing EntityKeys, rows: borrowing [Int], headers: borrowing EventHeaders, isDuplicate: inout [Bool]
  ) throws(HeadraceError) {
    var start = 0
    while start < rows.count {
      let end = min(start + TaskStore.chunkRows, rows.count)
      hash(ids, rows, start..<end)
      try loadMissing(ids, rows, start..<end, headers)
      for index in start..<end {
        let row = rows[index]
        isDuplicate[row] =
          ids.isValid[row]
          && decide(
            chunkHashes[index - start], headers.eventTimesMilliseconds[row], headers.watermarksMilliseconds[row])
      }
      start = end
    }
  }

  private func hash(_ ids: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>) {
    chunkHashes.removeAll(keepingCapacity: true)
    var touched: Int64 = 0
    for index in range {
      let hash = Hash128(ids.text[rows[index]])
      chunkHashes.append(hash)
      touched ^= younger.touch(hash)
    }
    touchedWords = touched
  }

  private func decide(_ hash: Hash128, _ time: Int64, _ rowWatermark: Int64) -> Bool {
    watermark = max(watermark, rowWatermark)
    if let first = timeInMemory(hash), first >= horizon(at: rowWatermark) {
      counters.duplicates += 1
      return true
    }
    if youngerSince == nil { youngerSince = rowWatermark }
    younger.set(hash, time)
    unsaved.append(.init(hash: hash, time: time))
    return false
  }

  private func timeInMemory(_ hash: Hash128) -> Int64? { younger.time(of: hash) ?? older.time(of: hash) }

  /// Entries below it count no more.
  private func horizon(at watermark: Int64) -> Int64 {
    let (horizon, overflow) = watermark.subtractingReportingOverflow(withinMilliseconds)
    return overflow ? Int64.min : horizon
  }

  /// Takes from the disk what memory may lack.
  private func loadMissing(
    _ ids: borrowing EntityKeys, _ rows: borrowing [Int], _ range: Range<Int>, _ headers: borrowing EventHeaders
  ) throws(HeadraceError) {
    lookup.removeAll()
    lookupHashes.removeAll(keepingCapacity: true)
    for index in range {
      let row = rows[index]
      // The disk has nothing newer than that: all that counts for this row is in memory.
      guard ids.isValid[row], horizon(at: headers.watermarksMilliseconds[row]) <= incompleteUpTo else { continue }
      let hash = chunkHashes[index - range.lowerBound]
      guard timeInMemory(hash) == nil else { continue }
      unsafe withUnsafeBytes(of: (hash.high.bigEndian, hash.low.bigEndian)) { bytes in
        unsafe lookup.append(prefix: group, RawSpan(_unsafeBytes: bytes))
      }
      lookupHashes.append(hash)
    }
    guard lookup.count > 0 else { return }
    counters.diskLookups += Int64(lookup.count)
    try database.multiGet(lookup, in: StoreFamily.dedupe) { index, value throws(HeadraceError) in
      guard value.byteCount == Self.valueBytes else {
        throw .corruptState("an event id of \(source) has \(value.byteCount) bytes", place: database.path)
      }
      let time = Int64(littleEndian: unsafe value.unsafeLoadUnaligned(as: Int64.self))
      younger.set(lookupHashes[index], time)
    }
  }
}

// The checkpoint.
extension DedupeTable {
  /// The newest event time that will have been saved.
  var newestTime: Int64 { max(savedNewestTime, younger.newestTime, older.newestTime) }

  /// Writes what is not on the disk into the batch of a checkpoint.
  func beginSaving(into batch: inout WriteBatch) {
    write(into: &batch)
    saving = Saving(entries: unsaved, newestTime: newestTime, horizon: horizon(at: watermark))
    unsaved = []
  }

  private func write(into batch: inout WriteBatch) {
    // RocksDB takes keys in order several times as fast. Of an id that came again after its time the later one counts.
    unsaved.sort { ($0.hash.high, $0.hash.low, $0.time) < ($1.hash.high, $1.hash.low, $1.time) }
    for entry in unsaved {
      let key = (group.bigEndian, entry.hash.high.bigEndian, entry.hash.low.bigEndian)
      unsafe withUnsafeTemporaryAllocation(byteCount: Self.keyBytes, alignment: 4) { bytes in
        unsafe bytes.storeBytes(of: key.0, toByteOffset: 0, as: UInt32.self)
        unsafe bytes.storeBytes(of: key.1, toByteOffset: 4, as: UInt64.self)
        unsafe bytes.storeBytes(of: key.2, toByteOffset: 12, as: UInt64.self)
        unsafe withUnsafeBytes(of: entry.time.littleEndian) { time in
          unsafe batch.put(
            RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)), RawSpan(_unsafeBytes: time), in: StoreFamily.dedupe)
        }
      }
    }
  }

  /// The batch is on the disk.
  ///
  /// - Returns: entries below it may be deleted there.
  func endSaving() -> Int64 {
    guard let saved = saving.take() else { return .min }
    savedNewestTime = max(savedNewestTime, saved.newestTime)
    let horizon = saved.horizon
    // What the older generation has came before the batch was taken: it is on the disk.
    let isOlderExpired = older.newestTime < horizon
    let isYoungerLong = youngerSince.map { $0 < horizon } ?? false
    if younger.sizeBytes > budgetBytes / 2 || (isOlderExpired && isYoungerLong) {
      if !isOlderExpired { incompleteUpTo = max(incompleteUpTo, older.newestTime) }
      older = HashTimes()
      swap(&older, &younger)
      youngerSince = nil
    }
    return horizon
  }

  /// The batch is not on the disk: the next one takes it.
  func undoSaving() {
    guard let refused = saving.take() else { return }
    unsaved = refused.entries + unsaved
  }

  /// Back to what is on the disk.
  ///
  /// - Precondition: nothing is being saved.
  func discardUnsaved() {
    precondition(saving == nil, "ids are being saved")
    unsaved.removeAll()
    younger = HashTimes()
    older = HashTimes()
    incompleteUpTo = savedNewestTime
    watermark = .min
    youngerSince = nil
  }
}
