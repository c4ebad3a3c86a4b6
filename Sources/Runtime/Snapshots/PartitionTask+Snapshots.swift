internal import Core
internal import Kafka
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Rocks

// A lost disk, and a log that no longer reaches back to the state: both are mended by a snapshot, which is a state at
// an earlier S like any other.

extension PartitionTask {
  /// What keeps the checkpoint that is about to be written, if it is to be kept.
  func snapshotOfCheckpoint(_ pending: PendingCheckpoint) -> SnapshotCopy? {
    context.snapshots?.begin(
      number, inputs: pending.inputs, spoolFiles: pending.rows?.paths ?? [], isLast: machine.isLeaving)
  }

  /// A state that was saved before a snapshot was due is saved once more, for the snapshot's sake.
  func noteSnapshotOwed() {
    guard let snapshots = context.snapshots, machine.isSaved,
      snapshots.isOwed(number, progress: SnapshotManifest.progress(machine.inputs.lazy.compactMap(\.saved)))
    else { return }
    follow(.stateMoved)
    nextCheckpointAtMilliseconds = 0
  }

  /// Brings the newest snapshot to where the state was, if there is none any more.
  func restoreMissingState(_ ends: [TopicPartition: Watermarks]) throws(HeadraceError) {
    guard let snapshots = context.snapshots, store == nil, !hasState else { return }
    for manifest in try snapshots.store.manifests(of: number) where mayFollow(manifest, ends, saved: [:]) {
      if try restore(manifest) { return }
    }
  }

  /// Takes a newer snapshot in place of a state whose next records are gone from the log.
  ///
  /// - Returns: whether it did: the store has to be opened again.
  func restoreOvertakenState(
    _ record: CheckpointRecord, _ ends: [TopicPartition: Watermarks]
  ) throws(HeadraceError) -> Bool {
    guard let snapshots = context.snapshots else { return false }
    var saved: [String: Int64] = [:]
    for input in record.inputs { saved[input.topic] = input.nextOffset }
    let isOvertaken = ends.contains { partition, log in saved[partition.topic].map { $0 < log.beginning } ?? false }
    guard isOvertaken else { return false }
    for manifest in try snapshots.store.manifests(of: number) where mayFollow(manifest, ends, saved: saved) {
      if try restore(manifest) { return true }
    }
    return false
  }

  private var hasState: Bool { LocalFile.isThere("\(statePath)/CURRENT") }

  /// Whether a snapshot is of this log, and better than what there is.
  ///
  /// - Parameter saved: S by topic of the state that it would replace; empty for none.
  private func mayFollow(
    _ manifest: SnapshotManifest, _ ends: [TopicPartition: Watermarks], saved: [String: Int64]
  ) -> Bool {
    ends.allSatisfy { partition, log in
      guard let offset = manifest.nextOffset(of: partition.topic) else { return saved[partition.topic] == nil }
      // A topic that was made again ends before it.
      guard offset <= log.end else { return false }
      return saved[partition.topic].map { offset >= max($0, log.beginning) } ?? true
    }
  }

  /// - Returns: false when this one cannot be used.
  private func restore(_ manifest: SnapshotManifest) throws(HeadraceError) -> Bool {
    guard let snapshots = context.snapshots else { return false }
    let folder = context.restorePath(number)
    do throws(HeadraceError) {
      try snapshots.store.download(manifest, to: folder)
    } catch {
      guard error.code == "SNAPSHOT_DAMAGED" || error.code == "BLOB_TRUNCATED" else { throw error }
      logger.error("a snapshot cannot be used", metadata: ["error": "\(error)"])
      return false
    }
    RuntimeKillPoint.pass(.restoreDownloaded)
    try putInPlace(folder, manifest)
    logger.notice(
      "the state comes from a snapshot",
      metadata: [
        "task": "\(number)", "from": "\(snapshots.store.place)",
        "offsets": "\(manifest.inputs.map { "\($0.topic) \($0.nextOffset)" }.joined(separator: ", "))",
      ])
    return true
  }

  /// Segments first: without a state nobody reads them. The state appears at once and as a whole.
  private func putInPlace(_ folder: String, _ manifest: SnapshotManifest) throws(HeadraceError) {
    releaseSpool()
    let spoolPath = context.spoolPath(number)
    try Folder.create(spoolPath)
    for file in manifest.files where file.path.hasPrefix("\(SnapshotFolder.spool)/") {
      let name = file.path.dropFirst(SnapshotFolder.spool.utf8.count + 1)
      try Folder.rename("\(folder)/\(file.path)", to: "\(spoolPath)/\(name)")
    }
    try Folder.synchronize(spoolPath)
    RuntimeKillPoint.pass(.restoreSpooled)
    store?.close()
    store = nil
    if LocalFile.isThere(statePath) {
      let aside = try TaskStore.moveAside(statePath)
      logger.notice("the former state was moved aside", metadata: ["to": "\(aside)"])
    }
    if let slash = statePath.lastIndex(of: "/") { try Folder.create(String(statePath[..<slash])) }
    try Folder.rename("\(folder)/\(SnapshotFolder.state)", to: statePath)
    try Folder.synchronize(statePath)
    LocalFile.remove(folder)
  }
}
