package import Core
internal import Synchronization

/// Segments that have ended, on their way to a checkpoint.
package struct SealedRows: Sendable {
  /// What the checkpoint has to say.
  package let record: SpoolRecord
  let files: [SealedFile]
  let folder: SpoolFolder

  /// All segments that the checkpoint names; none of them changes or goes before the next one is on the disk.
  package var paths: [String] { record.segments.map { folder.file($0.number) } }

  /// The rows are on the disk when this returns. Any thread.
  ///
  /// - Throws: SPOOL_DISK_FULL, SPOOL_IO: what is on the disk is not known, and the rows come again from S.
  package func synchronize() throws(HeadraceError) {
    guard !files.isEmpty else { return }
    for file in files { try file.synchronize() }
    try folder.synchronize()
  }
}

/// A file that nothing is appended to, until it is taken back.
final class SealedFile: Sendable {
  private struct Content: ~Copyable {
    var file: SpoolFile?
  }

  private let content: Mutex<Content>

  init(_ file: consuming sending SpoolFile) { content = Mutex(Content(file: file)) }

  func synchronize() throws(HeadraceError) {
    try content.withLock { (content) throws(HeadraceError) in try content.file?.synchronize() }
  }

  /// To go on with it.
  func take() -> SpoolFile? { content.withLock { $0.file.take() } }
}
