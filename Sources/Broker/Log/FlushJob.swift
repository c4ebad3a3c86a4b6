package import Core

/// The part of a flush that waits for the disk: a value that any thread may run, while the log goes on.
///
/// Order: data, then indexes and names, then the recovery point, which so never claims what is not there.
package struct FlushJob: Sendable {
  /// A closed segment that may not be on the disk.
  struct Closed: Sendable {
    var stem: String
    var description: SegmentIndexFile
    var needsIndexFile: Bool
    /// nil: not open.
    var file: LogFile?
    /// nil: not loaded; it is built from the file.
    var index: SegmentIndex?
  }

  let folder: String
  let closed: [Closed]
  /// The growing segment's file.
  let growing: LogFile?
  let indexIntervalBytes: Int
  let snapshotPaths: [String]
  /// Snapshots below it are no longer needed.
  let oldestSnapshot: Int64
  let condemnedPaths: [String]
  let recoveryPoint: Int64

  /// - Returns: what `PartitionLog.flushed` has to be told, also when the disk did not take the data.
  /// - Throws: `STORAGE` when something beside the data failed; the next flush tries it again.
  package func run() throws(HeadraceError) -> FlushResult {
    var result = FlushResult(
      recoveryPoint: recoveryPoint, segmentBases: closed.map(\.description.summary.baseOffset),
      condemnedPaths: condemnedPaths)
    do throws(StorageFailure) {
      for segment in closed { try segment.open().synchronize() }
      try growing?.synchronize()
    } catch {
      result.failure = error
      return result
    }
    do throws(StorageFailure) {
      // First of all: on a full disk this is what makes room for the rest.
      for path in condemnedPaths { try LogFolder.remove(path) }
      for segment in closed where segment.needsIndexFile {
        try segment.writeIndexFile(intervalBytes: indexIntervalBytes)
      }
      for path in snapshotPaths where LogFolder.exists(path) { try LogFile(path, .read).synchronize() }
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
  var failure: StorageFailure?
}

extension FlushJob.Closed {
  func open() throws(StorageFailure) -> LogFile {
    if let file { file } else { try LogFile(stem + SegmentName.logSuffix, .read) }
  }

  func writeIndexFile(intervalBytes: Int) throws(StorageFailure) {
    let index =
      if let index { index } else {
        try SegmentIndex(scanning: open(), of: description.summary, intervalBytes: intervalBytes)
      }
    try CheckedFile.replace(stem + SegmentName.indexSuffix, content: description.content(index: index), durable: true)
  }
}
