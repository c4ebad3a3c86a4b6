internal import Core
internal import Glibc

/// A file of the spool that is written once, from its beginning to its end.
@safe
struct SpoolFile: ~Copyable, Sendable {
  let path: String
  private let descriptor: Int32
  private(set) var sizeBytes: Int64 = 0

  /// What is there of that name was never part of a checkpoint, and goes.
  init(creating path: String) throws(HeadraceError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .spool("cannot be made", errno, path) }
  }

  deinit { close(descriptor) }

  /// What fails in the middle leaves a tail that no reader comes to, and that the next call writes over.
  mutating func append(_ bytes: [UInt8]) throws(HeadraceError) {
    var written = 0
    while written < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        guard let start = buffer.baseAddress else { return 0 }
        return unsafe pwrite(descriptor, start + written, buffer.count - written, off_t(sizeBytes) + off_t(written))
      }
      guard result > 0 || (result < 0 && errno == EINTR) else { throw .spool("cannot be written", errno, path) }
      written += max(result, 0)
    }
    sizeBytes += Int64(bytes.count)
  }

  /// On the disk, whatever happens to the machine.
  ///
  /// - Throws: `unknownOutcome`: the system tells of pages that it could not write once; a second try would lie.
  func synchronize() throws(HeadraceError) {
    guard fdatasync(descriptor) == 0 else {
      var error = HeadraceError.spool("cannot be synced", errno, path)
      error.retry = .unknownOutcome
      throw error
    }
  }
}

/// A folder of segments.
struct SpoolFolder {
  let path: String

  init(making path: String) throws(HeadraceError) {
    self.path = path
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .spool("cannot be made", errno, path) }
  }

  func file(_ number: UInt64) -> String { "\(path)/\(number).rows" }

  /// The numbers of the segments that are there.
  func numbers() throws(HeadraceError) -> [UInt64] {
    guard let folder = unsafe opendir(path) else { throw .spool("cannot be listed", errno, path) }
    defer { unsafe closedir(folder) }
    var numbers: [UInt64] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name.hasSuffix(".rows"), let number = UInt64(name.dropLast(5)) { numbers.append(number) }
    }
    return numbers.sorted()
  }

  func remove(_ number: UInt64) { _ = unsafe unlink(file(number)) }

  /// Names in the folder are on the disk.
  func synchronize() throws(HeadraceError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .spool("cannot be opened", errno, path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .spool("cannot be synced", errno, path) }
  }
}

extension HeadraceError {
  /// The disk's fault: nothing is lost, and the same call may succeed once there is room.
  static func spool(_ what: String, _ code: Int32, _ path: String) -> HeadraceError {
    HeadraceError(
      .external, code == ENOSPC || code == EDQUOT ? "SPOOL_DISK_FULL" : "SPOOL_IO", "\(what) (errno \(code))",
      retry: .sameCall, place: path, remedy: "make room on the disk of the data directory, or look at its health")
  }
}
