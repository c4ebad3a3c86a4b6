internal import Core
internal import Glibc
internal import Kafka
internal import Synchronization

/// SIGINT and SIGTERM as values: the first asks to finish what is begun, the second stops at once.
enum TerminationSignal {
  /// Signals arrive as bytes in a pipe, because a handler may do almost nothing.
  private static let pipeEnds: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    _ = unsafe pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }()

  /// Waits, on a thread of its own, for the next signal.
  static func next() async throws -> Int32 {
    install()
    return try await withCheckedThrowingContinuation { continuation in
      do throws(HeadraceError) {
        try BlockingThread.start(name: "signals") { continuation.resume(returning: read()) }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  /// From now on a signal ends the process at once, with the exit code that shells expect.
  static func exitOnNext() throws(HeadraceError) {
    install()
    try BlockingThread.start(name: "signals") { _exit(128 + read()) }
  }

  /// A command that polls asks this between two pieces of work.
  ///
  /// - Parameter wake: called once when the first signal comes, on another thread: ends a wait early.
  static func watch(wake: @escaping @Sendable () -> Void = {}) throws(HeadraceError) -> StopRequest {
    install()
    let request = StopRequest()
    try BlockingThread.start(name: "signals") {
      request.raise(read())
      wake()
      _exit(128 + read())
    }
    return request
  }

  /// Writing to a closed pipe is an error to handle, not a reason to die.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  private static func install() {
    _ = pipeEnds
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        _ = unsafe write(TerminationSignal.pipeEnds.write, &byte, 1)
      }
    }
    ignoreBrokenPipes()
  }

  private static func read() -> Int32 {
    var byte: UInt8 = 0
    while unsafe Glibc.read(pipeEnds.read, &byte, 1) != 1 {}
    return Int32(byte)
  }
}

/// Whether a signal asked the command to finish what is begun and end.
final class StopRequest: Sendable {
  private let number = Atomic<Int32>(0)

  init() {}

  func raise(_ signal: Int32) { number.store(signal, ordering: .releasing) }

  var isRaised: Bool { number.load(ordering: .acquiring) != 0 }

  /// The exit status that the signal asks for; nil when there was none.
  var status: ExitStatus? {
    let signal = number.load(ordering: .acquiring)
    return signal == 0 ? nil : ExitStatus(signal: signal)
  }
}
