internal import Glibc

/// Operations on a folder of the log and on the names in it.
enum LogFolder {
  /// Makes the folder and what is missing above it.
  static func create(_ path: String) throws(StorageFailure) {
    guard unsafe mkdir(path, 0o755) != 0 else { return }
    switch errno {
    case EEXIST: return
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw failure("mkdir", path) }
      try create(String(path[..<slash]))
      guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
    default: throw failure("mkdir", path)
    }
  }

  /// The names in a folder, sorted.
  static func names(in path: String) throws(StorageFailure) -> [String] {
    guard let folder = unsafe opendir(path) else { throw failure("opendir", path) }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  static func size(of path: String) throws(StorageFailure) -> Int {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw failure("stat", path) }
    return Int(status.st_size)
  }

  static func rename(_ source: String, to target: String) throws(StorageFailure) {
    guard unsafe Glibc.rename(source, target) == 0 else { throw failure("rename", source) }
  }

  /// Removes a file; one that does not exist is no failure.
  static func remove(_ path: String) throws(StorageFailure) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", path) }
  }

  /// Makes the names of a folder survive a loss of power.
  static func synchronize(_ path: String) throws(StorageFailure) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
  }

  private static func failure(_ operation: String, _ path: String) -> StorageFailure {
    StorageFailure(operation: operation, path: path, code: errno)
  }
}

/// The system's words for an error number.
enum SystemErrorText {
  static func of(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
