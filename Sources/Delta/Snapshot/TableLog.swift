internal import Core
internal import Storage

/// A table's log in its store: finding, reading and replaying it.
struct TableLog: Sendable {
  let store: any BlobStore
  let root: BlobName
  let folder: BlobName

  /// A commit holds a line for each file that it adds or removes.
  static let commitBytesMax = 256 << 20
  private static let commitsPerRead = 64

  init(store: any BlobStore, root: BlobName) throws(HeadraceError) {
    self.store = store
    self.root = root
    folder = try root.appending(LogName.folder)
  }

  /// What errors call the table.
  var place: String { "\(store.place)/\(root)" }

  func name(_ name: LogName) throws(HeadraceError) -> BlobName { try folder.appending(name.text) }

  /// - Parameter from: the first version of interest.
  func listing(from version: Int64 = 0) throws(HeadraceError) -> LogListing {
    var listing = LogListing()
    // Sorts before every name of that version.
    let before = version > 0 ? try folder.appending(LogName.prefix(version)) : nil
    try store.forEach(in: folder, after: before) { (entry) throws(HeadraceError) in listing.add(entry, in: folder) }
    return listing
  }

  /// - Parameter version: nil for the newest.
  /// - Returns: nil when there is no table.
  /// - Throws: DELTA_NO_VERSION, DELTA_LOG_GAP, DELTA_LOG_CORRUPT, DELTA_UNSUPPORTED.
  func snapshot(version wanted: Int64? = nil) throws(HeadraceError) -> TableSnapshot? {
    if let hint = try hintedVersion(), hint <= wanted ?? Int64.max {
      let listing = try listing(from: hint)
      do throws(HeadraceError) {
        if let found = try snapshot(version: wanted, in: listing, isWhole: false) { return found }
      } catch {
        // What is unsupported is so whichever way it is reached; anything else may be mended by an older checkpoint.
        guard ["DELTA_LOG_GAP", "DELTA_LOG_CORRUPT", "DELTA_NO_VERSION"].contains(error.code) || isOfParquet(error)
        else { throw error }
      }
    }
    return try snapshot(version: wanted, in: try listing(), isWhole: true)
  }

  private func hintedVersion() throws(HeadraceError) -> Int64? {
    do throws(HeadraceError) {
      let bytes = try store.read(try folder.appending(LastCheckpoint.name), bytesMax: LastCheckpoint.bytesMax)
      return bytes.flatMap { LastCheckpoint($0)?.version }
    } catch {
      guard error.code == "BLOB_TOO_LARGE" else { throw error }
      return nil
    }
  }

  private func isOfParquet(_ error: HeadraceError) -> Bool { error.code.hasPrefix("PARQUET_") }

  /// From the newest checkpoint that can be read, and the commits behind it.
  private func snapshot(
    version wanted: Int64?, in listing: LogListing, isWhole: Bool
  ) throws(HeadraceError) -> TableSnapshot? {
    guard let newest = listing.newestVersion else { return nil }
    let target = wanted ?? newest
    guard target <= newest, target >= 0 else {
      throw .deltaUser(
        "DELTA_NO_VERSION", "the table has no version \(target); its newest is \(newest)", place,
        remedy: "read a version that exists")
    }
    var failure: HeadraceError?
    for checkpoint in listing.checkpoints.reversed() where checkpoint.version <= target {
      do throws(HeadraceError) {
        let replay = try CheckpointReader(self).replay(checkpoint.files)
        return try snapshot(replay, from: checkpoint.version, to: target, in: listing)
      } catch {
        // A damaged checkpoint is only a shorter way: an older one and more commits give the same.
        guard isOfParquet(error) || error.code == "DELTA_LOG_CORRUPT" || error.code == "DELTA_LOG_GAP" else {
          throw error
        }
        failure = failure ?? error
      }
    }
    guard isWhole else { throw failure ?? .corruptLog("the hint leads to no checkpoint", place) }
    do throws(HeadraceError) {
      return try snapshot(LogReplay(), from: -1, to: target, in: listing)
    } catch {
      guard error.code == "DELTA_LOG_GAP", let failure else { throw error }
      throw failure
    }
  }

  private func snapshot(
    _ replay: LogReplay, from base: Int64, to target: Int64, in listing: LogListing
  ) throws(HeadraceError) -> TableSnapshot {
    var replay = replay
    if base < target {
      for piece in Self.pieces((base + 1)...target) {
        for (number, actions) in try commits(piece) { try replay.apply(actions, "\(place) version \(number)") }
      }
    }
    return try replay.snapshot(
      version: target, timestampMilliseconds: listing.commits[target]?.modifiedMilliseconds ?? 0, place)
  }

  /// Reads commits that must all be there. A range that only a file's name claims ends at the first one missing.
  func allCommits(
    _ versions: ClosedRange<Int64>
  ) throws(HeadraceError) -> [(version: Int64, actions: [LogAction])] {
    var found: [(version: Int64, actions: [LogAction])] = []
    for piece in Self.pieces(versions) { found += try commits(piece) }
    return found
  }

  /// A range in pieces of a few commits, made as they are asked for.
  private static func pieces(_ versions: ClosedRange<Int64>) -> some Sequence<ClosedRange<Int64>> {
    stride(from: versions.lowerBound, through: versions.upperBound, by: commitsPerRead).lazy.map { first in
      first...min(versions.upperBound, first + Int64(commitsPerRead) - 1)
    }
  }

  /// Reads a few commits that must all be there.
  private func commits(_ versions: ClosedRange<Int64>) throws(HeadraceError) -> [(version: Int64, actions: [LogAction])]
  {
    var names: [BlobName] = []
    for version in versions { names.append(try name(.commit(version))) }
    var commits: [(version: Int64, actions: [LogAction])] = []
    for (version, bytes) in zip(versions, try store.read(names, bytesMax: Self.commitBytesMax)) {
      guard let bytes else {
        throw HeadraceError(
          .external, "DELTA_LOG_GAP", "version \(version) is missing from the log", place: place,
          remedy: "it was cleaned up, or lost: read a newer version, or restore the file")
      }
      commits.append((version, try actions(bytes, version: version)))
    }
    return commits
  }

  func actions(_ bytes: [UInt8], version: Int64) throws(HeadraceError) -> [LogAction] {
    try CommitReader(place: "\(store.place)/\(try name(.commit(version)))").actions(bytes)
  }
}
