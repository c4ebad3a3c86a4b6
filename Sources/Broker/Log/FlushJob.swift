package import Core

/// The part of a flush that waits for the disk: a value that any thread may run, while the log goes on.
///
/// Order: data, then indexes and names, then the recovery point, which so never claims what is not there.
package struct FlushJob: Sendable {
  struct IndexFile: Sendable {
    var path: String
    var content: SegmentIndexFile
    var index: SegmentIndex
    var segmentBase: Int64
  }

  let folder: String
  /// Files with bytes that may not be on the disk.
  let data: [LogFile]
  let indexFiles: [IndexFile]
  /// Closed segments that this brings to the disk.
  let segmentBases: [Int64]
  let snapshotPaths: [String]
  /// Snapshots below it are no longer needed.
  let oldestSnapshot: Int64
  let condemnedPaths: [String]
  let recoveryPoint: Int64

  /// - Returns: what `PartitionLog.flushed` has to be told, also when the disk did not take the data.
  /// - Throws: `STORAGE` when something beside the data failed; the next flush tries it again.
  package func run() throws(HeadraceError) -> FlushResult {
    var result = FlushResult(recoveryPoint: recoveryPoint, segmentBases: segmentBases, condemnedPaths: condemnedPaths)
    do throws(StorageFailure) {
      for file in data { try file.synchronize() }
    } catch {
      result.failure = error
      return result
    }
    do throws(StorageFailure) {
      for file in indexFiles {
        try CheckedFile.replace(file.path, content: file.content.content(index: file.index), durable: true)
      }
      for path in snapshotPaths where LogFolder.exists(path) { try LogFile(path, .read).synchronize() }
      for path in condemnedPaths { try LogFolder.remove(path) }
      for name in try LogFolder.names(in: folder) {
        if let offset = SegmentName.offset(name, suffix: SegmentName.snapshotSuffix), offset < oldestSnapshot {
          try LogFolder.remove("\(folder)/\(name)")
        }
      }
      try LogFolder.synchronize(folder)
      try LogCheckpoints(folder: folder).store(recoveryPoint: recoveryPoint)
    } catch {
      throw error.asHeadraceError
    }
    return result
  }
}

/// How a flush went.
package struct FlushResult: Sendable {
  let recoveryPoint: Int64
  let segmentBases: [Int64]
  let condemnedPaths: [String]
  /// The disk did not take the data. What of it is stored is unknown.
  package fileprivate(set) var failure: StorageFailure?
}
