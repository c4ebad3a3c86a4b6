internal import Glibc

/// An open file of the log. Whoever holds it keeps it open; the last holder closes it. All reads and writes name their
/// position, so that threads may share it.
final class LogFile: Sendable {
  enum Mode {
    case read
    /// Created if it does not exist.
    case readWrite
    /// Emptied if it exists.
    case create
  }

  let path: String
  private let descriptor: Int32

  init(_ path: String, _ mode: Mode) throws(StorageFailure) {
    let flags =
      switch mode {
      case .read: O_RDONLY
      case .readWrite: O_RDWR | O_CREAT
      case .create: O_RDWR | O_CREAT | O_TRUNC
      }
    descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
    self.path = path
    guard descriptor >= 0 else { throw StorageFailure(operation: "open", path: path, code: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  func size() throws(StorageFailure) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure("stat") }
    return Int(status.st_size)
  }

  /// Fills the buffer from a position on.
  /// - Returns: the bytes read; fewer than asked for only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(StorageFailure) -> Int {
    var done = 0
    while done < buffer.count {
      let target = unsafe buffer.baseAddress.map { unsafe $0 + done }
      let count = unsafe pread(descriptor, target, buffer.count - done, off_t(position + done))
      if count > 0 {
        done += count
      } else if count == 0 {
        break
      } else if errno != EINTR {
        throw failure("read")
      }
    }
    return done
  }

  /// The same for the first `count` bytes of a span.
  func read(_ count: Int, into span: inout MutableRawSpan, at position: Int) throws(StorageFailure) -> Int {
    try unsafe span.withUnsafeMutableBytes { (bytes) throws(StorageFailure) in
      try unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), at: position)
    }
  }

  /// Writes two runs of bytes one behind the other.
  func write(_ head: RawSpan, _ body: RawSpan, at position: Int) throws(StorageFailure) {
    let total = head.byteCount + body.byteCount
    var done = 0
    while done < total {
      let first = head.extracting(droppingFirst: min(done, head.byteCount))
      let second = body.extracting(droppingFirst: max(0, done - head.byteCount))
      let count = write(first, second, once: position + done)
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw failure("write")
      }
    }
  }

  func write(_ bytes: RawSpan, at position: Int) throws(StorageFailure) {
    try write(bytes, RawSpan(), at: position)
  }

  private func write(_ first: RawSpan, _ second: RawSpan, once position: Int) -> Int {
    unsafe first.withUnsafeBytes { first in
      unsafe second.withUnsafeBytes { second in
        // The kernel only reads what these point to.
        let parts: InlineArray<2, iovec> = unsafe [
          iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
          iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
        ]
        return unsafe parts.span.withUnsafeBufferPointer {
          unsafe pwritev(descriptor, $0.baseAddress, Int32($0.count), off_t(position))
        }
      }
    }
  }

  func truncate(to size: Int) throws(StorageFailure) {
    while ftruncate(descriptor, off_t(size)) != 0 {
      if errno != EINTR { throw failure("truncate") }
    }
  }

  /// Waits until content and size are on the disk. After a failure the kernel may have dropped the pages: never call it
  /// again.
  func synchronize() throws(StorageFailure) {
    guard fdatasync(descriptor) == 0 else { throw failure("fdatasync") }
  }

  private func failure(_ operation: String) -> StorageFailure {
    StorageFailure(operation: operation, path: path, code: errno)
  }
}
