package import Core
internal import Parquet
internal import Storage

extension DeltaTable {
  /// Whether the table's own interval asks for a checkpoint of this version.
  package var isCheckpointDue: Bool {
    snapshot.version > 0 && snapshot.version % snapshot.metadata.checkpointInterval == 0
  }

  /// Writes the table's state at the known version into one file, so that readers need not replay the log from its
  /// beginning.
  ///
  /// It changes nothing that can be seen: whoever dies in here leaves a table that reads the same. Two that write the
  /// same checkpoint write the same state, and the first one stays.
  package func checkpoint(nowMilliseconds: Int64) throws(HeadraceError) {
    try snapshot.tableProtocol.requireWritable(place)
    DeltaKillPoint.pass(.checkpointBefore)
    let written = try writeCheckpointFile(nowMilliseconds: nowMilliseconds)
    DeltaKillPoint.pass(.checkpointAfterFile)
    let hintName = try log.folder.appending(LastCheckpoint.name)
    let present = try store.read(hintName, bytesMax: LastCheckpoint.bytesMax).flatMap { LastCheckpoint($0) }
    if let present, present.version >= snapshot.version { return }
    try store.put(hintName, written.json)
  }

  private func writeCheckpointFile(nowMilliseconds: Int64) throws(HeadraceError) -> LastCheckpoint {
    let parquet = try ParquetWriter(schema: try CheckpointSchema.parquet())
    let blob = try store.writer(try log.name(.checkpoint(snapshot.version, part: 1, parts: 1)))
    let actions = checkpointActions(nowMilliseconds: nowMilliseconds)
    var at = 0
    while at < actions.count {
      let end = min(actions.count, at + Self.checkpointRowsPerWrite)
      try parquet.append(rows: actions[at..<end].compactMap(CheckpointRow.value))
      if parquet.outputBytes > 0 { try blob.append(parquet.takeOutput()) }
      at = end
    }
    try parquet.finish()
    try blob.append(parquet.takeOutput())
    do throws(HeadraceError) {
      _ = try blob.finish()
    } catch {
      guard error.code == "BLOB_EXISTS" else { throw error }
    }
    return LastCheckpoint(
      version: snapshot.version, actionCount: Int64(actions.count), sizeBytes: Int64(parquet.writtenBytes),
      fileCount: Int64(snapshot.fileCount))
  }

  private static var checkpointRowsPerWrite: Int { 1_024 }

  /// The table's state; removed files only as long as readers of older versions may need them.
  private func checkpointActions(nowMilliseconds: Int64) -> [LogAction] {
    let expired = nowMilliseconds - snapshot.metadata.deletedFileRetentionMilliseconds
    var actions: [LogAction] = [.tableProtocol(snapshot.tableProtocol), .metadata(snapshot.metadata)]
    actions += snapshot.transactions.map { .transaction($0) }
    actions += snapshot.removedFiles.filter { $0.removedMilliseconds ?? 0 > expired }.map { .remove($0) }
    actions += snapshot.files.map { .add($0) }
    return actions
  }

  /// Deletes entries of the log that a checkpoint stands for and that are older than the table's retention
  /// (`delta.logRetentionDuration`), oldest first, so that what is left is always readable.
  ///
  /// - Parameters:
  ///   - pinnedVersions: versions that must stay readable, however old.
  ///   - isDryRun: say how many, and delete nothing.
  /// - Returns: how many objects were deleted.
  package func cleanUpLog(
    nowMilliseconds: Int64, pinnedVersions: [Int64] = [], isDryRun: Bool = false
  ) throws(HeadraceError) -> Int {
    try snapshot.tableProtocol.requireWritable(place)
    let listing = try log.listing()
    let cutoff = nowMilliseconds - snapshot.metadata.logRetentionMilliseconds
    guard let expired = listing.timestamps.last(where: { $0.milliseconds <= cutoff }) else { return 0 }
    let oldestNeeded = min(expired.version, pinnedVersions.min() ?? Int64.max)
    guard let first = listing.checkpoints.last(where: { $0.version <= oldestNeeded })?.version else { return 0 }
    // Proof that the checkpoint can be read: what is deleted now cannot be asked any more.
    _ = try CheckpointReader(log).replay(listing.checkpoints.first { $0.version == first }?.files ?? [])
    let end = LogName.prefix(first)
    var names: [BlobName] = []
    try store.forEach(in: log.folder) { (entry) throws(HeadraceError) in
      guard let name = entry.name.relative(to: log.folder), name.prefix(20) < end, name.prefix(20).utf8.count == 20,
        name.prefix(20).utf8.allSatisfy({ (0x30...0x39).contains($0) })
      else { return }
      names.append(entry.name)
    }
    guard !isDryRun else { return names.count }
    for name in names {
      try store.delete([name])
      DeltaKillPoint.pass(.cleanUpDuring)
    }
    return names.count
  }
}
