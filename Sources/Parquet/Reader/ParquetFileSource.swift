package import Core

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file on a disk, read by ranges. The file must not change while it is read.
@safe package final class ParquetFileSource: ParquetSource, Sendable {
  package let sizeBytes: Int
  private let path: String
  private let descriptor: CInt

  package init(path: String) throws(HeadraceError) {
    self.path = path
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("cannot be opened", errno, path) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw Self.failure("has no size", code, path)
    }
    sizeBytes = Int(status.st_size)
  }

  deinit { close(descriptor) }

  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(HeadraceError) {
    var done = 0
    while done < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, offset + done)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("cannot be read at byte \(offset + done)", errno, path) }
      guard count > 0 else {
        throw HeadraceError.outsideOfFile(offset: offset, count: buffer.count, sizeBytes: sizeBytes).at(path)
      }
      done += count
    }
  }

  private static func failure(_ what: String, _ code: CInt, _ path: String) -> HeadraceError {
    HeadraceError(
      .external, "PARQUET_READ_FAILED", unsafe "\(what): \(String(cString: strerror(code)))", retry: .sameCall,
      place: path)
  }
}
