package import Core
internal import Features
internal import Rocks
internal import Synchronization

/// The state of one task: the rows of its views, the ids of its sources, and where in the log all of it stands.
///
/// One RocksDB and, above it, rows in memory. The worker that owns the task changes rows in memory only; a checkpoint
/// takes all that changed, with the owner's record of its offsets, and another thread writes it in one synced batch
/// while the worker goes on: what is on the disk is the state at a checkpoint, never between two. Any thread may read.
/// A reader sees every row that was applied, in memory or on the disk, at the latest when the chunk of rows that it
/// belongs to is done.
///
/// **Threads.** Methods are the worker's unless they say otherwise. The worker changes the table under a fair lock that
/// it takes for chunks of rows, and reads it without; it waits for the disk outside of the lock.
///
/// **Failures.** Damaged state closes the store for good (`STATE_CORRUPT`); `moveAside` makes room for a new one. A
/// write of unknown outcome closes this instance: open the store again, and the disk says what happened.
@safe
package final class TaskStore: @unchecked Sendable {
  // Unchecked: `views` and all in it change under `lock` only; everything else is constant or locks itself.
  /// Rows for which the lock is held at once.
  package static let chunkRows = 256

  /// The folder.
  package let path: String
  package let options: StoreOptions
  let database: Database
  let lock = TicketLock()
  /// By `ViewNamespace.view`; nil where the namespace was dropped.
  var views: [StoredView?] = []
  var dedupeTables: [DedupeTable] = []
  /// Of views with a history by tiles.
  var touches: [TileTouches] = []
  let rowExpiry: Expiry
  let dedupeExpiry: Expiry
  let trouble = Mutex<HeadraceError?>(nil)
  let isBroken = Atomic<Bool>(false)
  var counters = StoreCounters()
  /// The checkpoint that is being written.
  var taken: TakenCheckpoint?

  // The worker's, kept from call to call.
  var chunkEntries: [Int] = []
  var missing = KeyList()
  var missingRows: [Int] = []
  var keyScratch: [UInt8] = []
  var touchedWords: UInt64 = 0

  /// Opens the store in the folder `path`, which is made if it is not there.
  ///
  /// - Throws: `STATE_LOCKED`, `STATE_CORRUPT`, `STATE_FORMAT`, `STATE_DISK_FULL`, `STATE_IO`.
  package init(path: String, options: StoreOptions = StoreOptions()) throws(HeadraceError) {
    try Self.refuseQuarantined(path)
    self.path = path
    self.options = options
    rowExpiry = try Expiry(timeOffset: ViewLayout.newestEventTimeOffset, groupCapacity: 4_096)
    dedupeExpiry = try Expiry(timeOffset: 0, groupCapacity: 256)
    do {
      database = try Database(path: path, options: Self.databaseOptions(options, rowExpiry, dedupeExpiry))
      try Self.checkFormat(of: database)
    } catch {
      if error.isCorruption { Self.quarantine(path, error) }
      throw error
    }
  }

  /// Any thread; calls that are inside finish first. What was not checkpointed is gone.
  package func close() {
    // Readers stop at once, also those whose rows are in memory.
    end(with: HeadraceError(.internal, "STATE_CLOSED", "the store is closed", retry: .newInstance, place: path))
    database.close()
  }

  private static func databaseOptions(
    _ options: StoreOptions, _ rowExpiry: Expiry, _ dedupeExpiry: Expiry
  ) -> DatabaseOptions {
    var meta = ColumnFamily("default")
    meta.writeBufferBytes = 1 << 20
    meta.filter = .none
    var rows = ColumnFamily("rows")
    rows.writeBufferBytes = options.writeBufferBytes
    rows.expiry = rowExpiry
    var dedupe = ColumnFamily("dedupe")
    dedupe.writeBufferBytes = max(options.writeBufferBytes / 4, 1 << 20)
    // Hashes and times: nothing to compress.
    dedupe.compression = .none
    dedupe.coldCompression = .none
    dedupe.expiry = dedupeExpiry
    dedupe.fixedKeyBytes = DedupeTable.keyBytes
    var touches = ColumnFamily("touches")
    touches.writeBufferBytes = max(options.writeBufferBytes / 4, 1 << 20)
    var database = DatabaseOptions(columnFamilies: [meta, rows, dedupe, touches])
    database.blockCache = options.blockCache
    database.reserve = options.reserve
    database.backgroundThreads = options.backgroundThreads
    database.maxLogBytes = UInt64(clamping: options.writeBufferBytes) * 2
    return database
  }

  private static func checkFormat(of database: Database) throws(HeadraceError) {
    if let format = try database.get(MetaRecord.formatKey) {
      let found = format.array
      guard found == [MetaRecord.formatVersion] else {
        throw HeadraceError(
          .user, "STATE_FORMAT",
          "the state has format \(found.map(String.init).joined(separator: ".")), this version reads and writes "
            + "format \(MetaRecord.formatVersion)", place: database.path,
          remedy: "run the version that wrote it, or move the folder away: the task is rebuilt from the log")
      }
      return
    }
    var batch = try WriteBatch(for: database)
    batch.put(MetaRecord.formatKey, [MetaRecord.formatVersion])
    try database.write(batch, sync: true)
  }
}

/// Counted under the lock.
struct StoreCounters {
  var hits: Int64 = 0
  var misses: Int64 = 0
  var diskReads: Int64 = 0
  var evictions: Int64 = 0
  var checkpoints: Int64 = 0
}
