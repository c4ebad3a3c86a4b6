internal import Core
internal import Glibc
internal import Training

/// Where a run keeps its log, state and tables: a folder that stays, or one that goes with the run.
struct LoopFolder: Sendable {
  let path: String
  private let isKept: Bool

  /// - Parameter wanted: a new folder; nil: one in `TMPDIR`, else /tmp, that goes.
  init(_ wanted: String?) throws(HeadraceError) {
    isKept = wanted != nil
    if let wanted {
      try Folder.make(wanted)
      path = wanted
      return
    }
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? ""
    let template = "\(parent.isEmpty ? "/tmp" : parent)/headrace-loop-XXXXXX"
    var bytes = Array(template.utf8CString)
    guard unsafe mkdtemp(&bytes) != nil else { throw .file(template, "the folder cannot be made") }
    path = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func remove() {
    guard !isKept else { return }
    FolderTree.remove(path)
  }
}
