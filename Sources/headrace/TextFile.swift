internal import Core
internal import Glibc

/// Small text files that flags name.
enum TextFile {
  private static let limitBytes = 1 << 20

  static func read(_ path: String) throws(HeadraceError) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limitBytes + 1)
    var count = 0
    while count < bytes.count {
      let got = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress.map { unsafe $0 + count }, $0.count - count) }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw failure("read", path) }
      if got == 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
      count += got
    }
    throw HeadraceError(.user, "FILE_TOO_LARGE", "the file has more than \(limitBytes) bytes", place: path)
  }

  /// Readers see the whole text or no file at all.
  static func writeAtomically(_ text: String, to path: String) throws(HeadraceError) {
    let temporary = "\(path).tmp"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create", temporary) }
    let bytes = Array(text.utf8)
    let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
    close(descriptor)
    guard written == bytes.count else { throw failure("write", temporary) }
    guard unsafe rename(temporary, path) == 0 else { throw failure("rename", temporary) }
  }

  private static func failure(_ operation: String, _ path: String) -> HeadraceError {
    HeadraceError(.user, "FILE", "cannot \(operation) the file: \(unsafe String(cString: strerror(errno)))", place: path)
  }
}
