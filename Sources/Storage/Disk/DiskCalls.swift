internal import Core
internal import Glibc

/// System calls on files and folders, with errors that say what to do.
enum DiskCalls {
  /// An open file that closes itself.
  struct File: ~Copyable {
    let descriptor: Int32
    let path: String

    /// - Throws: what `open` says; nil instead of an error when there is no such file.
    static func open(reading path: String) throws(HeadraceError) -> File? {
      let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw failure("open", path)
      }
      return File(descriptor: descriptor, path: path)
    }

    static func create(_ path: String) throws(HeadraceError) -> File {
      let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw failure("open", path) }
      return File(descriptor: descriptor, path: path)
    }

    deinit { close(descriptor) }

    /// - Throws: BLOB_UNREADABLE for what is no regular file.
    func status() throws(HeadraceError) -> stat {
      var status = stat()
      guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat", path) }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw HeadraceError(.external, "BLOB_UNREADABLE", "this is no regular file", place: path)
      }
      return status
    }

    /// Bytes from `offset` on; fewer than `count` at the file's end.
    func read(from offset: Int, count: Int) throws(HeadraceError) -> [UInt8] {
      var code: Int32 = 0
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
          let target = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
          let got = unsafe pread(descriptor, target.baseAddress, count - filled, offset + filled)
          if got < 0 && errno == EINTR { continue }
          if got < 0 { code = errno }
          guard got > 0 else { return }
          filled += got
        }
      }
      guard code == 0 else { throw failure("read", path, code) }
      return bytes
    }

    func write(_ bytes: [UInt8]) throws(HeadraceError) {
      var written = 0
      while written < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
          unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
        }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw failure("write", path) }
        written += count
      }
    }

    /// Once this has returned, the content survives a loss of power. An error is final: the kernel may have dropped
    /// what it could not write, and would report success the next time.
    func synchronize() throws(HeadraceError) {
      guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
    }
  }

  /// Makes the names of a folder survive a loss of power.
  static func synchronizeFolder(_ path: String) throws(HeadraceError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
  }

  /// Makes a folder and what is missing above it, durably.
  static func createFolder(_ path: String) throws(HeadraceError) {
    guard unsafe mkdir(path, 0o755) != 0 else { return try synchronizeFolder(parent(of: path)) }
    switch errno {
    case EEXIST: return
    case ENOENT:
      let above = parent(of: path)
      guard above.utf8.count < path.utf8.count else { throw failure("mkdir", path) }
      try createFolder(above)
      guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
      try synchronizeFolder(above)
    default: throw failure("mkdir", path)
    }
  }

  /// The folder of a file; `/` and `.` are the last.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The names in a folder, in no order; none when there is no such folder.
  static func names(in path: String) throws(HeadraceError) -> [(name: String, isFolder: Bool)] {
    guard let folder = unsafe opendir(path) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw failure("opendir", path)
    }
    defer { unsafe closedir(folder) }
    var names: [(name: String, isFolder: Bool)] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      let kind = unsafe entry.pointee.d_type
      names.append((name, kind == DT_UNKNOWN ? isFolder("\(path)/\(name)") : kind == UInt8(DT_DIR)))
    }
    return names
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Size and time of a regular file; nil for anything else.
  static func status(_ path: String) -> (sizeBytes: Int, modifiedMilliseconds: Int64)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return (Int(status.st_size), milliseconds(status.st_mtim))
  }

  static func milliseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  static func failure(_ call: String, _ path: String, _ code: Int32 = errno) -> HeadraceError {
    let words = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    let (name, remedy): (String, String) =
      switch code {
      case ENOSPC, EDQUOT: ("DISK_FULL", "make room; nothing half-written is visible")
      case EACCES, EPERM, EROFS: ("DISK_ACCESS_DENIED", "let the user that runs headrace write there")
      case EMFILE, ENFILE: ("TOO_MANY_FILES", "raise the limit on open files")
      case EXDEV: ("DISK_ACROSS_DEVICES", "keep a store's folders on one file system: objects are linked into place")
      default: ("DISK_FAILED", "check the file system and the kernel's log")
      }
    return HeadraceError(
      .external, name, "\(call) failed: \(words)", retry: code == EACCES || code == EXDEV ? .never : .sameCall,
      place: path, remedy: remedy)
  }
}
