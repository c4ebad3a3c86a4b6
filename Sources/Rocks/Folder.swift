package import Core
internal import Glibc

/// The few things that a store does with folders.
package enum Folder {
  /// Makes a folder and those above it.
  package static func create(_ path: String) throws(HeadraceError) {
    if unsafe mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw failure("make the folder", path)
    }
    try create(String(path[..<slash]))
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make the folder", path) }
  }

  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The names in a folder, sorted, without `.` and `..`.
  package static func names(_ path: String) throws(HeadraceError) -> [String] {
    guard let folder = unsafe opendir(path) else { throw failure("read the folder", path) }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Bytes of the files directly in a folder; 0 when it is not there.
  package static func sizeBytes(_ path: String) -> Int64 {
    guard let names = try? names(path) else { return 0 }
    return names.reduce(0) { total, name in
      var status = stat()
      // A file may be compacted away in between.
      return unsafe lstat("\(path)/\(name)", &status) == 0 ? total + Int64(status.st_size) : total
    }
  }

  /// Brings the files of a folder, and the folder's own entries, to the disk.
  package static func synchronize(_ path: String) throws(HeadraceError) {
    for name in try names(path) { try synchronizeOne("\(path)/\(name)") }
    try synchronizeOne(path)
    // The folder's name is an entry of the one above it.
    if let slash = path.lastIndex(of: "/") {
      try synchronizeOne(slash == path.startIndex ? "/" : String(path[..<slash]))
    } else {
      try synchronizeOne(".")
    }
  }

  package static func rename(_ path: String, to newPath: String) throws(HeadraceError) {
    guard unsafe Glibc.rename(path, newPath) == 0 else { throw failure("rename to \(newPath)", path) }
  }

  private static func synchronizeOne(_ path: String) throws(HeadraceError) {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("open", path) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw failure("sync", path) }
  }

  static func failure(_ activity: String, _ path: String) -> HeadraceError {
    let number = errno
    let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    let isFull = number == ENOSPC || number == EDQUOT
    return HeadraceError(
      isFull ? .noSpace : .inputOutput, "\(activity): \(reason)", isWrite: false, place: path)
  }
}
