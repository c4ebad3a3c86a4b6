package import Core
internal import Features
internal import Rocks

extension TaskStore {
  /// Memory of rows and ids.
  package var memoryBytes: Int { rowBytes + dedupeTables.reduce(0) { $0 + $1.memoryBytes } }

  /// Memory of what was saved and is in no file yet.
  package var memoryTableBytes: Int { database.memoryTableBytes }

  /// Memory of rows and ids that the next checkpoint writes.
  package var dirtyBytes: Int {
    views.reduce(0) { $0 + ($1?.rows.dirtyBytes ?? 0) } + dedupeTables.reduce(0) { $0 + $1.unsavedBytes }
      + touches.reduce(0) { $0 + $1.unsavedBytes }
  }

  /// Writes everything that changed since the last checkpoint, with the owner's record of where in the log that is: all
  /// of it or nothing, and on the disk when this returns.
  ///
  /// - Parameters:
  ///   - meta: the task's record: offsets, watermarks, digest; opaque here.
  ///   - viewMeta: records of views that are still being built and stand somewhere else in the log, by namespace.
  /// - Throws: with `sameCall` nothing was tried and nothing changed; after anything else the store is finished, and
  ///   the one that is opened next says whether the checkpoint is there.
  package func checkpoint(meta: [UInt8], viewMeta: [UInt32: [UInt8]] = [:]) throws(HeadraceError) {
    try checkUsable()
    do {
      var batch = try WriteBatch(for: database)
      batch.put(MetaRecord.checkpointKey, meta)
      for (id, record) in viewMeta { batch.put(MetaRecord.key(MetaRecord.viewCheckpointPrefix, id), record) }
      for case let view? in views { write(view, into: &batch) }
      for table in dedupeTables {
        table.write(into: &batch)
        batch.put(
          MetaRecord.key(MetaRecord.groupPrefix, table.group),
          MetaRecord.encode([table.source], number: table.newestTime))
      }
      for touches in touches { touches.write(into: &batch) }
      try database.write(batch, sync: true)
      try database.flushFullMemoryTables()
    } catch {
      throw noting(error)
    }
    for case let view? in views {
      view.rows.clearDirtyFlags()
      lock.withLock { view.rows.noteSaved() }
      if let horizon = view.namespace.layout.deletionHorizon(at: view.rows.watermark) {
        rowExpiry.setHorizon(horizon, ofGroup: view.namespace.id)
      }
    }
    for table in dedupeTables { dedupeExpiry.setHorizon(table.noteSaved(), ofGroup: table.group) }
    for touches in touches { touches.noteSaved() }
    lock.withLock { counters.checkpoints += 1 }
    evict()
  }

  /// The record of the last checkpoint; nil before the first.
  package func loadMeta() throws(HeadraceError) -> [UInt8]? {
    try checkUsable()
    return try database.get(MetaRecord.checkpointKey)?.array
  }

  /// The record of a view that was being built at the last checkpoint.
  package func loadMeta(ofView id: UInt32) throws(HeadraceError) -> [UInt8]? {
    try checkUsable()
    return try database.get(MetaRecord.key(MetaRecord.viewCheckpointPrefix, id))?.array
  }

  /// Back to the last checkpoint: everything that was applied since is forgotten.
  package func discardUnsaved() {
    lock.withLock {
      for case let view? in views { view.rows.discardDirty() }
    }
    for table in dedupeTables { table.discardUnsaved() }
    touches = []
  }

  /// The state of the last checkpoint as a folder of its own, from which a store can be opened; `path` must not exist.
  package func snapshot(to path: String) throws(HeadraceError) {
    try checkUsable()
    do {
      try database.checkpoint(to: path)
    } catch {
      // A target that exists or is full is no fault of this store.
      throw error.isCorruption ? noting(error) : error
    }
  }

  /// Reads the table without the lock: only the worker changes it, and the worker is here.
  private func write(_ view: StoredView, into batch: inout WriteBatch) {
    keyScratch.removeAll(keepingCapacity: true)
    keyScratch.append(contentsOf: MetaRecord.bytes(view.namespace.id))
    for (_, index) in view.rows.dirtyInKeyOrder() {
      let entry = unsafe view.rows.table.entry(index)
      keyScratch.removeSubrange(4...)
      unsafe entry.pointee.withKey { key in
        unsafe key.withUnsafeBytes { unsafe keyScratch.append(contentsOf: $0) }
      }
      unsafe batch.put(keyScratch.span.bytes, entry.pointee.row.bytes, in: StoreFamily.rows)
    }
  }
}
