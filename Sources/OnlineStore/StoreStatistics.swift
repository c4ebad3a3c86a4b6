package import Core
internal import Rocks

/// What a store holds and did, for metrics and for `status`.
package struct StoreStatistics: Sendable, Equatable {
  /// In memory.
  package var rows: Int64 = 0
  package var memoryBytes: Int64 = 0
  /// What the next checkpoint writes.
  package var dirtyRows: Int64 = 0
  package var dirtyBytes: Int64 = 0
  /// Reads and applied rows that did not find their row in memory.
  package var misses: Int64 = 0
  /// Reads that found it there.
  package var hits: Int64 = 0
  package var diskReads: Int64 = 0
  package var evictions: Int64 = 0
  package var checkpoints: Int64 = 0
  /// An estimate of the rows of all views on the disk, ids of deduplication included.
  package var diskKeys: Int64 = 0
  package var diskBytes: Int64 = 0
  /// The disk does not keep up: the next checkpoint waits for it.
  package var isWriteStopped = false
}

extension TaskStore {
  /// Any thread.
  package func statistics() throws(HeadraceError) -> StoreStatistics {
    var statistics = StoreStatistics()
    lock.withLock {
      for case let view? in views {
        statistics.rows += Int64(view.rows.table.count)
        statistics.memoryBytes += Int64(view.rows.bytes)
        statistics.dirtyRows += Int64(view.rows.dirty.count)
        statistics.dirtyBytes += Int64(view.rows.dirtyBytes)
      }
      statistics.hits = counters.hits
      statistics.misses = counters.misses
      statistics.diskReads = counters.diskReads
      statistics.evictions = counters.evictions
      statistics.checkpoints = counters.checkpoints
    }
    let database = try database.statistics()
    statistics.diskKeys = Int64(clamping: database.keys)
    statistics.diskBytes = Folder.sizeBytes(path)
    statistics.isWriteStopped = database.isWriteStopped
    return statistics
  }
}
