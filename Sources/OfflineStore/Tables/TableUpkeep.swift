internal import Core
internal import Delta
internal import Storage

/// Small files become large ones and the log gets a checkpoint now and then, so that reading a table stays quick; what
/// that leaves behind goes after the table's own retention, unless a dataset was made of it.
enum TableUpkeep {
  /// As other writers do.
  private static let checkpointInterval: Int64 = 10
  /// Commits, of all partitions together: ten minutes of one partition at the usual freshness.
  private static let compactionInterval: Int64 = 30
  /// Some hours of one partition at the usual freshness: it lists the whole table.
  private static let cleaningInterval: Int64 = 900

  /// Does what is due at the table's version, right behind the commit that made it.
  static func run(
    _ table: inout DeltaTable, in store: any BlobStore, nowMilliseconds: Int64
  ) throws(HeadraceError) {
    let version = table.snapshot.version
    guard version % checkpointInterval == 0 else { return }
    if version % compactionInterval == 0 { _ = try table.compact(nowMilliseconds: nowMilliseconds) }
    try table.checkpoint(nowMilliseconds: nowMilliseconds)
    guard version % cleaningInterval == 0 else { return }
    var policy = VacuumPolicy()
    policy.pinnedVersions = try DatasetPins(in: store).versions(of: table.root)
    _ = try table.vacuum(policy, nowMilliseconds: nowMilliseconds)
    _ = try table.cleanUpLog(nowMilliseconds: nowMilliseconds, pinnedVersions: policy.pinnedVersions)
  }
}
