internal import Core
internal import Glibc

/// Small files that flags name.
enum TextFile {
  /// The whole file as text; of at most 1 MiB, unless more is expected.
  static func read(_ path: String, sizeBytesMax: Int = 1 << 20) throws(HeadraceError) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path, "cannot be opened") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe Glibc.read(descriptor, &piece, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .file(path, "cannot be read") }
      if count == 0 { break }
      bytes += piece[..<count]
      guard bytes.count <= sizeBytesMax else {
        throw HeadraceError(.user, "FILE_TOO_LARGE", "the file is larger than \(sizeBytesMax >> 20) MiB", place: path)
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HeadraceError(.user, "FILE_NOT_UTF8", "the file is no UTF-8 text", place: path)
    }
    return text
  }

  /// The file's one line, as secrets are kept: a line break at its end does not count.
  static func readLine(_ path: String) throws(HeadraceError) -> String {
    let text = try read(path)
    return text.last?.isNewline == true ? String(text.dropLast()) : text
  }

  /// Written under another name and renamed: whoever sees the file sees all of it.
  static func write(_ text: String, to path: String) throws(HeadraceError) {
    let temporary = "\(path).\(getpid())"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path, "cannot be written") }
    let bytes = Array(text.utf8)
    let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
    close(descriptor)
    guard written == bytes.count, unsafe rename(temporary, path) == 0 else { throw .file(path, "cannot be written") }
  }
}

extension HeadraceError {
  /// What the system said about a file, in the words of `errno`.
  static func file(_ path: String, _ what: String) -> Self {
    let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "errno \(errno)"
    return HeadraceError(
      .user, "FILE_ERROR", "\(what): \(reason.lowercased())", place: path, remedy: "check the path and its permissions")
  }
}
