package import Core
internal import CRDKafka
internal import Glibc

/// A named thread that runs jobs one after another, and may block in them: the edge between async code and calls that
/// wait for a broker.
package final class BlockingThread: Sendable {
  private struct Jobs: Sendable {
    var waiting: [@Sendable () -> Void] = []
    var isStopped = false
  }

  private let jobs: Monitor<Jobs>

  /// - Parameter name: as debuggers and `top -H` show it; the system keeps 15 bytes of it.
  package init(name: String, priority: Priority = .ordinary) throws(HeadraceError) {
    let jobs = Monitor(Jobs())
    self.jobs = jobs
    try Self.start(name: name, priority: priority) {
      while let batch = jobs.wait({ Self.take(&$0) }), !batch.isEmpty {
        for job in batch { job() }
      }
    }
  }

  deinit { stop() }

  /// Runs `body` on this thread. The caller's task is suspended; no thread of Swift's pool waits.
  package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let isAccepted = post { continuation.resume(with: Result(catching: body)) }
      if !isAccepted {
        continuation.resume(
          throwing: HeadraceError(.internal, "THREAD_STOPPED", "the thread of this client is stopped"))
      }
    }
  }

  /// Queues a job without waiting for it; false when the thread is stopped.
  @discardableResult
  package func post(_ job: @escaping @Sendable () -> Void) -> Bool {
    jobs.change { jobs in
      guard !jobs.isStopped else { return false }
      jobs.waiting.append(job)
      return true
    }
  }

  /// Ends the thread once the jobs that are queued have run.
  package func stop() { jobs.change { $0.isStopped = true } }

  /// All waiting jobs; empty when the thread shall end; nil when there is nothing to do yet.
  private static func take(_ jobs: inout Jobs) -> [@Sendable () -> Void]? {
    if jobs.waiting.isEmpty { return jobs.isStopped ? [] : nil }
    defer { jobs.waiting.removeAll() }
    return jobs.waiting
  }
}

extension BlockingThread {
  /// The name of the calling thread.
  static var currentName: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { buffer in
      guard let start = buffer.baseAddress else { return "" }
      unsafe headrace_thread_name(start)
      return unsafe String(cString: start)
    }
  }

  /// How a thread stands beside the others when there are not processors enough for all.
  package enum Priority: Sendable {
    case ordinary
    /// Takes what the others leave, and some 3 % of a processor when they leave nothing. Threads that it starts, those
    /// of a client among them, are as it is.
    case background

    fileprivate var niceness: Int32 { self == .ordinary ? 0 : 15 }
  }

  /// Starts a detached thread for one body.
  package static func start(
    name: String, priority: Priority = .ordinary, _ body: @escaping @Sendable () -> Void
  ) throws(HeadraceError) {
    final class Start: Sendable {
      let name: String
      let niceness: Int32
      let body: @Sendable () -> Void
      init(name: String, niceness: Int32, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.niceness = niceness
        self.body = body
      }
    }
    let start = unsafe Unmanaged.passRetained(
      Start(name: String(name.prefix(15)), niceness: priority.niceness, body: body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        unsafe headrace_name_thread(start.name)
        if start.niceness > 0 { headrace_lower_thread(start.niceness) }
        start.body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw HeadraceError(
        .external, "NO_THREAD", "the system refused a thread (errno \(code))", remedy: "raise the limit on threads")
    }
    pthread_detach(thread)
  }
}
