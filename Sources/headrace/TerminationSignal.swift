internal import Glibc
internal import Kafka

/// SIGINT and SIGTERM as values: the first asks to drain, the second stops at once.
enum TerminationSignal {
  /// A handler may do almost nothing: it writes the signal's number into a pipe that a thread reads.
  private static let pipeEnds: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    _ = unsafe pipe(&ends)
    return (ends[0], ends[1])
  }()

  /// From now on signals are noticed. A reader that went away is an error of a write, not the end of the process.
  static func install() {
    _ = pipeEnds
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        _ = unsafe write(TerminationSignal.pipeEnds.write, &byte, 1)
      }
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// The next signal; waits on a thread of its own.
  static func next() async throws -> Int32 {
    let thread = try BlockingThread(name: "signals")
    return try await thread.run { read() }
  }

  /// The next signal ends the process at once, with the exit code that shells expect.
  static func exitOnNext() throws {
    try BlockingThread.start(name: "signals") { _exit(128 + read()) }
  }

  private static func read() -> Int32 {
    var byte: UInt8 = 0
    while unsafe Glibc.read(pipeEnds.read, &byte, 1) != 1 {}
    return Int32(byte)
  }
}
