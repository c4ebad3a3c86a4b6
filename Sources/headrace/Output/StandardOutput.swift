internal import Core
internal import Glibc

/// Bytes for stdout, gathered into large writes.
struct StandardOutput: ~Copyable {
  private static let bufferBytes = 1 << 16
  var buffer: [UInt8] = []

  init() {}

  /// The reader of the pipe went away: nothing to report, the command ends.
  struct Closed: Error {}

  /// Writes when enough is gathered.
  mutating func flushIfFull() throws {
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  mutating func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
    try Self.writeAll(buffer)
  }

  static func writeAll(_ bytes: [UInt8]) throws {
    var start = 0
    while start < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe write(STDOUT_FILENO, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start)
      }
      if count >= 0 {
        start += count
      } else if errno == EPIPE {
        throw Closed()
      } else if errno != EINTR {
        throw HeadraceError.file("stdout", "cannot be written")
      }
    }
  }

  static func writeLine(_ text: String) throws { try writeAll(Array((text + "\n").utf8)) }
}

/// Lines for people and logs.
enum StandardError {
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Columns of the terminal; 80 when it does not say.
  static var columns: Int {
    var size = winsize()
    let code = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
    return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  static func write(_ text: String, terminator: String = "\n") {
    let bytes = Array((text + terminator).utf8)
    _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
