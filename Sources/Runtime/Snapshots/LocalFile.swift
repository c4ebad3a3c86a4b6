internal import Core
internal import Glibc
internal import Storage

/// A file of a snapshot on this machine's disk: written from its beginning to its end, or read in pieces.
@safe
struct LocalFile: ~Copyable {
  static let pieceBytes = 4 << 20

  private let path: String
  private let descriptor: Int32

  /// What is there of that name goes.
  init(creating path: String) throws(HeadraceError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure("cannot be made", path) }
  }

  deinit { close(descriptor) }

  mutating func append(_ bytes: [UInt8]) throws(HeadraceError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        guard let start = buffer.baseAddress else { return 0 }
        return unsafe write(descriptor, start + written, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("cannot be written", path) }
      written += count
    }
  }

  static func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Gives a file a second name, or copies it where the disks differ.
  static func link(_ path: String, to target: String) throws(HeadraceError) {
    guard unsafe Glibc.link(path, target) != 0 else { return }
    guard errno == EXDEV || errno == EPERM else { throw failure("cannot be linked", path) }
    var copy = try LocalFile(creating: target)
    try forEachPiece(path) { (piece) throws(HeadraceError) in try copy.append(piece) }
  }

  /// Removes a folder with everything in it; one that is not there is no failure.
  static func remove(_ path: String) {
    for name in DiskUsage.names(path) {
      let inner = "\(path)/\(name)"
      if unsafe unlink(inner) != 0 { remove(inner) }
    }
    _ = unsafe rmdir(path)
  }

  static func digest(_ path: String) throws(HeadraceError) -> (sizeBytes: Int, hash: String) {
    var hasher = ContentHasher()
    var size = 0
    try forEachPiece(path) { piece in
      hasher.update(piece)
      size += piece.count
    }
    return (size, hasher.finish())
  }

  static func forEachPiece(
    _ path: String, _ body: ([UInt8]) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("cannot be opened", path) }
    defer { close(descriptor) }
    var piece = [UInt8](repeating: 0, count: pieceBytes)
    while true {
      let count = unsafe read(descriptor, &piece, pieceBytes)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("cannot be read", path) }
      guard count > 0 else { return }
      try body(count == pieceBytes ? piece : Array(piece[..<count]))
    }
  }

  private static func failure(_ what: String, _ path: String) -> HeadraceError {
    HeadraceError(
      .external, errno == ENOSPC || errno == EDQUOT ? "SNAPSHOT_DISK_FULL" : "SNAPSHOT_IO",
      "the file \(what) (errno \(errno))", retry: .sameCall, place: path,
      remedy: "make room on the disk of the data directory, or look at its health")
  }
}
