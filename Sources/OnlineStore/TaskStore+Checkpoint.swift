package import Core
internal import Features
internal import Rocks

extension TaskStore {
  /// Memory of rows and ids.
  package var memoryBytes: Int { rowBytes + dedupeTables.reduce(0) { $0 + $1.memoryBytes } }

  /// Memory of what was saved and is in no file yet.
  package var memoryTableBytes: Int { database.memoryTableBytes }

  /// Memory of rows and ids that the next checkpoint takes.
  package var dirtyBytes: Int {
    views.reduce(0) { $0 + ($1?.rows.dirtyBytes ?? 0) } + dedupeTables.reduce(0) { $0 + $1.unsavedBytes }
      + touches.reduce(0) { $0 + $1.unsavedBytes }
  }

  /// Memory of rows that cannot go before a checkpoint is on the disk: the one that is being written, or the next one.
  package var unsavedBytes: Int { dirtyBytes + views.reduce(0) { $0 + ($1?.rows.savingBytes ?? 0) } }

  /// Takes everything that changed since the last checkpoint, with the owner's record of where in the log that is. All
  /// of it or nothing will be on the disk; until `endCheckpoint` the worker applies on, and what it changes belongs to
  /// the next one.
  ///
  /// - Parameters:
  ///   - meta: the task's record: offsets, watermarks, digest; opaque here.
  ///   - viewMeta: records of views that are still being built and stand somewhere else in the log, by namespace.
  /// - Precondition: there is none that has not ended.
  package func beginCheckpoint(meta: [UInt8], viewMeta: [UInt32: [UInt8]] = [:]) throws(HeadraceError)
    -> TakenCheckpoint
  {
    precondition(taken == nil, "a checkpoint is being written")
    try checkUsable()
    var batch: WriteBatch
    do { batch = try WriteBatch(for: database) } catch { throw noting(error) }
    batch.put(MetaRecord.checkpointKey, meta)
    for (id, record) in viewMeta { batch.put(MetaRecord.key(MetaRecord.viewCheckpointPrefix, id), record) }
    var horizons: [UInt32: Int64] = [:]
    for case let view? in views {
      write(view, into: &batch)
      lock.withLock { view.rows.beginSaving() }
      horizons[view.namespace.id] = view.namespace.layout.deletionHorizon(at: view.rows.watermark)
    }
    for table in dedupeTables {
      table.beginSaving(into: &batch)
      batch.put(
        MetaRecord.key(MetaRecord.groupPrefix, table.group),
        MetaRecord.encode([table.source], number: table.newestTime))
    }
    for touches in touches { touches.beginSaving(into: &batch) }
    let checkpoint = TakenCheckpoint(batch, for: database, horizons: horizons)
    taken = checkpoint
    return checkpoint
  }

  /// What was taken is on the disk, or not.
  ///
  /// - Parameter failure: of `TakenCheckpoint.write`; nil when it is there.
  /// - Throws: the failure. With `sameCall` nothing was written, and the next checkpoint takes it; after anything else
  ///   the store is finished, and the one that is opened next says whether the checkpoint is there.
  package func endCheckpoint(_ failure: HeadraceError? = nil) throws(HeadraceError) {
    guard let checkpoint = taken.take() else { return }
    if let failure {
      checkpoint.discard()
      undoTaking()
      throw noting(failure)
    }
    for case let view? in views {
      lock.withLock { view.rows.endSaving() }
      if let horizon = checkpoint.horizons[view.namespace.id] {
        rowExpiry.setHorizon(horizon, ofGroup: view.namespace.id)
      }
    }
    for table in dedupeTables { dedupeExpiry.setHorizon(table.endSaving(), ofGroup: table.group) }
    for touches in touches { touches.endSaving() }
    lock.withLock { counters.checkpoints += 1 }
    evict()
  }

  /// What was taken is not written: the next checkpoint takes it.
  package func abandonCheckpoint() {
    guard let checkpoint = taken.take() else { return }
    checkpoint.discard()
    undoTaking()
  }

  private func undoTaking() {
    for case let view? in views { lock.withLock { view.rows.undoSaving() } }
    for table in dedupeTables { table.undoSaving() }
    for touches in touches { touches.undoSaving() }
  }

  /// As the three steps, one after the other: on the disk when this returns.
  package func checkpoint(meta: [UInt8], viewMeta: [UInt32: [UInt8]] = [:]) throws(HeadraceError) {
    let checkpoint = try beginCheckpoint(meta: meta, viewMeta: viewMeta)
    do {
      try checkpoint.write()
    } catch {
      return try endCheckpoint(error)
    }
    try endCheckpoint()
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
  ///
  /// - Precondition: none is being written. One that was taken and not written is abandoned.
  package func discardUnsaved() {
    abandonCheckpoint()
    lock.withLock {
      for case let view? in views { view.rows.discardDirty() }
    }
    for table in dedupeTables { table.discardUnsaved() }
    touches = []
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
