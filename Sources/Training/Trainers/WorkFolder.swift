internal import Core
internal import Glibc

/// The folder of one training, held by one process at a time. What is in it appears under its name as a whole and is
/// durable then, or is not there.
///
///     lock          held while anybody works here, the programs of a command included
///     job           the fingerprint of what is trained: another one begins with an empty folder
///     checkpoint    what a trainer that was killed goes on from
///     data/         what a command is given
///     output/       what a command writes
///     model         the result
///     result.json   what is known of it: the training is done
final class WorkFolder {
  let path: String
  /// Held until this is closed here and in every process that got a copy.
  let lock: Int32

  private static let waitMilliseconds = 30

  /// Waits for whoever is there: programs of a run that was killed are being killed themselves.
  ///
  /// - Throws: `TRAINING_BUSY` after 10 s.
  init(_ path: String, isCancelled: () -> Bool) throws(HeadraceError) {
    try Self.make(path)
    // Programs are told about it, wherever they go.
    guard let absolute = unsafe realpath(path, nil) else { throw .work("cannot be found", path) }
    defer { unsafe free(absolute) }
    self.path = unsafe String(cString: absolute)
    let name = "\(self.path)/lock"
    lock = unsafe open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw .work("cannot be opened", name) }
    let deadline = WallClock.monotonic.nowMilliseconds + 10_000
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      // From here on `deinit` closes it, whatever is thrown.
      guard !isCancelled() else { throw .trainingCancelled }
      guard WallClock.monotonic.nowMilliseconds < deadline else {
        throw HeadraceError(
          .external, "TRAINING_BUSY", "another process trains in this folder", retry: .sameCall, place: path,
          remedy: "wait until it is done, or choose another folder")
      }
      Sleep.milliseconds(Self.waitMilliseconds)
    }
  }

  deinit { close(lock) }

  /// Makes it the folder of what has this fingerprint; what another one has left goes.
  func claim(_ fingerprint: String) throws(HeadraceError) {
    if let bytes = try read("job", bytesMax: 1_024), bytes == Array(fingerprint.utf8) { return }
    for name in ["result.json", "model", "checkpoint", "job"] { try remove(name) }
    for name in ["data", "output"] { try removeFolder(name) }
    try write("job", Array(fingerprint.utf8))
  }

  /// Of a training that is done: nobody goes on from here, and nobody reads the data again.
  func removeUnneeded() throws(HeadraceError) {
    try remove("checkpoint")
    for name in ["data", "output"] { try removeFolder(name) }
  }

  func place(_ name: String) -> String { "\(path)/\(name)" }

  /// - Returns: nil when there is none, or a larger one.
  func read(_ name: String, bytesMax: Int) throws(HeadraceError) -> [UInt8]? {
    try Self.read(place(name), bytesMax: bytesMax)
  }

  /// Written under another name, made durable, and renamed.
  func write(_ name: String, _ bytes: [UInt8]) throws(HeadraceError) {
    let (final, part) = (place(name), place("\(name).part"))
    let file = unsafe open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .work("cannot be made", part) }
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Glibc.write(file, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = HeadraceError.work("cannot be written", part)
        close(file)
        throw error
      }
      written += count
    }
    let isDurable = fsync(file) == 0
    close(file)
    guard isDurable, unsafe rename(part, final) == 0 else { throw .work("cannot be made durable", final) }
    let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .work("cannot be opened", path) }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw .work("cannot be made durable", path) }
  }

  func remove(_ name: String) throws(HeadraceError) {
    guard unsafe unlink(place(name)) == 0 || errno == ENOENT else { throw .work("cannot be removed", place(name)) }
  }

  /// An empty folder of that name.
  func makeEmpty(_ name: String) throws(HeadraceError) -> String {
    try removeFolder(name)
    try Self.make(place(name))
    return place(name)
  }

  func removeFolder(_ name: String) throws(HeadraceError) {
    FolderTree.remove(place(name))
    var status = stat()
    guard unsafe lstat(place(name), &status) != 0 else { throw .work("cannot be removed", place(name)) }
  }

  static func make(_ path: String) throws(HeadraceError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += "\(part)/"
      guard unsafe mkdir(made, 0o755) == 0 || errno == EEXIST else { throw .work("the folder cannot be made", path) }
    }
  }

  /// - Parameter followsLinks: false: a symbolic link is no file.
  /// - Returns: nil when there is no regular file of that name.
  /// - Throws: `TRAINING_FILE` also when it is larger than `bytesMax`.
  static func read(_ path: String, bytesMax: Int, followsLinks: Bool = true) throws(HeadraceError) -> [UInt8]? {
    // Opening a pipe must not wait for somebody who writes into it.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW))
    guard file >= 0 else {
      if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
      throw .work("cannot be opened", path)
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw .work("has no size", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    guard Int(status.st_size) <= bytesMax else {
      throw HeadraceError(
        .user, "TRAINING_FILE", "\(status.st_size) bytes, at most \(bytesMax) are expected", place: path)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(status.st_size))
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while bytes.count < bytesMax {
      let count = unsafe Glibc.read(file, &piece, min(piece.count, bytesMax - bytes.count))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .work("cannot be read", path) }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    return bytes
  }
}

@available(*, unavailable, message: "one thread trains in it")
extension WorkFolder: Sendable {}

extension HeadraceError {
  /// What the system said about a file, in the words of `errno`.
  static func work(_ what: String, _ path: String) -> Self {
    let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "errno \(errno)"
    return HeadraceError(
      .external, "TRAINING_FILE", "\(what): \(reason.lowercased())", retry: .sameCall, place: path,
      remedy: "check the path, its permissions and the room on the disk")
  }
}
