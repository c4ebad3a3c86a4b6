internal import NIOCore
internal import NIOPosix

/// The one thread beside the event loop: fsync, compaction and deletion of files, one job after the other.
final class BackgroundWorker: Sendable {
  private let pool = NIOThreadPool(numberOfThreads: 1)

  init() { pool.start() }

  /// Runs `job` on the worker and hands its result to `completion` on the event loop.
  func run<Value: Sendable>(
    on loop: any EventLoop, _ job: @escaping @Sendable () throws -> Value,
    completion: @escaping @Sendable (Result<Value, any Error>) -> Void
  ) {
    pool.runIfActive(eventLoop: loop, job).whenComplete(completion)
  }

  func stop() async throws { try await pool.shutdownGracefully() }
}
