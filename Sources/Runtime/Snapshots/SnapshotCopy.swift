internal import Core
internal import OnlineStore
internal import Rocks

/// The files of one checkpoint under second names, so that nothing that happens to the first ones changes them.
struct SnapshotCopy: Sendable {
  let folder: String
  let manifest: SnapshotManifest
  /// Segments that the checkpoint names.
  let spoolFiles: [String]
  let lane: SnapshotLane

  /// Makes it of the checkpoint that was written last, and hands it on. On the thread that writes checkpoints: until it
  /// returns nothing is written, and no segment goes.
  func take(of checkpoint: TakenCheckpoint) {
    do throws(HeadraceError) {
      LocalFile.remove(folder)
      try Folder.create("\(folder)/\(SnapshotFolder.spool)")
      try checkpoint.copyState(to: "\(folder)/\(SnapshotFolder.state)")
      for path in spoolFiles {
        let name = path.split(separator: "/").last.map { String($0) } ?? path
        try LocalFile.link(path, to: "\(folder)/\(SnapshotFolder.spool)/\(name)")
      }
      RuntimeKillPoint.pass(.snapshotTaken)
      lane.upload(self)
    } catch {
      lane.end(self, error)
    }
  }

  /// The checkpoint is not on the disk.
  func giveUp() { lane.end(self, nil, isGivenUp: true) }
}
