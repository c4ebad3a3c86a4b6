internal import Core
internal import Glibc

/// A file that appears under its name as a whole, or not at all.
enum NewFile {
  /// Puts a file in the place of whatever is there.
  static func replace(_ path: String, with bytes: [UInt8]) throws(HeadraceError) {
    let part = "\(path).part"
    unsafe unlink(part)
    unsafe try write(part) { (append) throws(HeadraceError) in
      let result: Result<Void, HeadraceError> = unsafe bytes.withUnsafeBytes { bytes in
        do throws(HeadraceError) { return .success(unsafe try append(bytes)) } catch { return .failure(error) }
      }
      try result.get()
    }
    guard unsafe rename(part, path) == 0 else { throw .file(path, "cannot be made") }
  }

  /// - Parameter body: gets what writes; its bytes go to `path` with `.part` behind it first.
  /// - Throws: FILE_EXISTS when there is one of that name.
  static func write<Result>(
    _ path: String,
    _ body: ((UnsafeRawBufferPointer) throws(HeadraceError) -> Void) throws(HeadraceError) -> Result
  ) throws(HeadraceError) -> Result {
    let part = "\(path).part"
    let descriptor = unsafe open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(part, "cannot be made") }
    defer {
      close(descriptor)
      unsafe unlink(part)
    }
    let result = unsafe try body { (bytes) throws(HeadraceError) in
      var written = 0
      while written < bytes.count {
        let count = unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw HeadraceError.file(part, "cannot be written") }
        written += count
      }
    }
    guard unsafe link(part, path) == 0 else {
      guard errno == EEXIST else { throw .file(path, "cannot be made") }
      throw HeadraceError(.user, "FILE_EXISTS", "there is a file already", place: path, remedy: "name a new one")
    }
    return result
  }
}
