package import Core
internal import Rocks
internal import Synchronization

/// What a checkpoint writes: the state of one moment, taken by the worker and written by whatever thread has the time.
package final class TakenCheckpoint: Sendable {
  private let batch: Mutex<Content>
  private let database: Database
  /// Rows whose newest event is older may be deleted when it is on the disk, by namespace.
  let horizons: [UInt32: Int64]

  /// Of a batch: it can be written once.
  private struct Content: ~Copyable {
    var batch: WriteBatch?
  }

  init(_ batch: consuming sending WriteBatch, for database: Database, horizons: [UInt32: Int64]) {
    self.batch = Mutex(Content(batch: batch))
    self.database = database
    self.horizons = horizons
  }

  /// Lets go of what it holds of the database: it will not be written.
  func discard() { batch.withLock { _ = $0.batch.take() } }

  /// The state on the disk as a folder of its own, from which a store can be opened; `path` must not exist. On the
  /// thread that has just written: no other one writes.
  package func copyState(to path: String) throws(HeadraceError) { try database.checkpoint(to: path) }

  /// Writes it in one synced batch: all of it is on the disk when this returns. Any thread, once.
  ///
  /// - Throws: with `sameCall` nothing was tried and nothing changed; after anything else nobody knows.
  package func write() throws(HeadraceError) {
    let taken = batch.withLock { $0.batch.take() }
    guard let taken else { return }
    try database.write(taken, sync: true)
    try database.flushFullMemoryTables()
  }
}
