package import Core
internal import Synchronization

/// Segments that have ended, on their way to a checkpoint.
package struct SealedRows: Sendable {
  /// What the checkpoint has to say.
  package let record: SpoolRecord
  let files: [SealedFile]
  let folder: SpoolFolder

  /// The rows are on the disk when this returns. Any thread.
  ///
  /// - Throws: SPOOL_DISK_FULL, SPOOL_IO: the next checkpoint tries again.
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
