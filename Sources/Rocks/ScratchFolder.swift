package import Core
internal import Glibc

/// A folder for as long as something is tried out: `TMPDIR`, else /tmp. It goes with everything in it.
package struct ScratchFolder: ~Copyable {
  package let path: String

  /// - Throws: `STATE_IO`, `STATE_DISK_FULL`.
  package init(prefix: String) throws(HeadraceError) {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? ""
    let template = "\(parent.isEmpty ? "/tmp" : parent)/\(prefix)-XXXXXX"
    var bytes = Array(template.utf8CString)
    guard unsafe mkdtemp(&bytes) != nil else { throw Folder.failure("make a folder", template) }
    path = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in (try? Folder.names(path)) ?? [] { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }
}
