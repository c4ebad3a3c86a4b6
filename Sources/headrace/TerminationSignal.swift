internal import Glibc
internal import Synchronization

/// SIGINT and SIGTERM as values: the first asks to drain, the second stops at once.
enum TerminationSignal {
  /// Signals arrive as bytes in a pipe, because a handler may do almost nothing.
  private static let pipeEnds: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    _ = unsafe pipe2(&ends, O_CLOEXEC)
    return (ends[0], ends[1])
  }()

  /// Waits, on a thread of its own, for the first signal.
  static func next() async -> Int32 {
    install()
    return await withCheckedContinuation { continuation in
      let box = Mutex<CheckedContinuation<Int32, Never>?>(continuation)
      _ = box
      detachThread { continuation.resume(returning: read()) }
    }
  }

  /// From now on a signal ends the process at once, with the exit code that shells expect.
  static func exitOnNext() {
    detachThread { _exit(128 + read()) }
  }

  private static func install() {
    _ = pipeEnds
    for number in [SIGINT, SIGTERM] {
      unsafe signal(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        _ = unsafe write(TerminationSignal.pipeEnds.write, &byte, 1)
      }
    }
    unsafe signal(SIGPIPE, SIG_IGN)
  }

  private static func read() -> Int32 {
    var byte: UInt8 = 0
    while unsafe Glibc.read(pipeEnds.read, &byte, 1) != 1 {}
    return Int32(byte)
  }
}
