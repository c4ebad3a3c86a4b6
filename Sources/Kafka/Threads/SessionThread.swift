package import Core

/// A thread that lives as long as its service and works in sessions: one goes on until it has nothing more to do or
/// something goes wrong, then the next one begins with clients of its own.
///
/// For services beside the stream, which a broker that is away must not end. `start` and `stop` may be called from
/// anywhere; everything else belongs to the thread.
package final class SessionThread: Sendable {
  /// How long it waits behind a session that failed: twice as long behind each further one.
  package struct Backoff: Sendable {
    package var firstMilliseconds: Int64 = 200
    package var maximumMilliseconds: Int64 = 5_000
    /// A session that went on for so long counts as one that was well: what ends it is a new trouble.
    package var steadyMilliseconds: Int64 = 60_000

    package init() {}

    /// - Parameter failures: in a row; from 1 on.
    func pauseMilliseconds(failures: Int) -> Int64 {
      min(max(firstMilliseconds, 1) << Int64(min(max(failures, 1) - 1, 16)), maximumMilliseconds)
    }
  }

  private struct State: Sendable {
    var isRunning = false
    var isStopping = false
  }

  private let name: String
  private let priority: BlockingThread.Priority
  private let state = Monitor(State())

  /// - Parameter name: as debuggers and `top -H` show it; the system keeps 15 bytes of it.
  package init(_ name: String, priority: BlockingThread.Priority = .ordinary) {
    self.name = name
    self.priority = priority
  }

  /// Begins, unless it runs already or was asked to end.
  ///
  /// - Parameter body: on the new thread; to return ends it.
  package func start(_ body: @escaping @Sendable (SessionThread) -> Void) throws(HeadraceError) {
    let starts = state.change { state in
      guard !state.isRunning, !state.isStopping else { return false }
      state.isRunning = true
      return true
    }
    guard starts else { return }
    do throws(HeadraceError) {
      try BlockingThread.start(name: name, priority: priority) {
        body(self)
        self.state.change { $0.isRunning = false }
      }
    } catch {
      state.change { $0.isRunning = false }
      throw error
    }
  }

  package var isStopping: Bool { state.change { $0.isStopping } }

  /// One session after another, until the thread is asked to end.
  ///
  /// - Parameters:
  ///   - failed: is told of each failure, and the how manieth in a row it is.
  ///   - session: returns or throws in its own time once `isStopping`.
  package func repeatSessions(
    _ backoff: Backoff = Backoff(), failed: (_ error: any Error, _ count: Int) -> Void, session: () throws -> Void
  ) {
    var failures = 0
    while !isStopping {
      let began = WallClock.monotonic.nowMilliseconds
      do {
        try session()
        failures = 0
      } catch {
        if WallClock.monotonic.nowMilliseconds - began >= backoff.steadyMilliseconds { failures = 0 }
        failures += 1
        failed(error, failures)
        pause(milliseconds: backoff.pauseMilliseconds(failures: failures))
      }
    }
  }

  /// Waits; no longer than until it is asked to end.
  package func pause(milliseconds: Int64) {
    _ = state.wait(timeoutMilliseconds: milliseconds) { $0.isStopping ? true : nil }
  }

  /// Asks it to end, and waits for that.
  ///
  /// - Parameter timeoutMilliseconds: nil: however long it takes.
  package func stop(timeoutMilliseconds: Int64? = nil) async {
    var isRunning = state.change { state in
      state.isStopping = true
      return state.isRunning
    }
    let deadline = timeoutMilliseconds.map { WallClock.monotonic.nowMilliseconds + $0 } ?? .max
    // Polled: nothing of Swift's pool may wait behind a condition variable.
    while isRunning, WallClock.monotonic.nowMilliseconds < deadline {
      try? await Task.sleep(for: .milliseconds(5))
      isRunning = state.change { $0.isRunning }
    }
  }
}
