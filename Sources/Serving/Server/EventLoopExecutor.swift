internal import NIOCore

/// Runs tasks on an event loop's thread.
///
/// A connection's task that prefers this executor reads, answers and writes on the thread that its socket belongs to:
/// a request costs no hop between threads.
final class EventLoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
