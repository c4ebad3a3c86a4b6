internal import Glibc
internal import Synchronization

/// Independent pieces of work on threads of their own: for work that computes and blocks, which Swift's pool must not.
package enum ParallelWork {
  /// How many threads the machine runs at once.
  package static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Runs `body` for each piece from 0 to `count - 1`: begun in this order, several at a time, one of them on the
  /// caller's thread. Returns when all are done.
  ///
  /// - Parameter threadCount: at least 1; more than `count` are never made.
  /// - Throws: the error of the first piece, by its number, that failed. Pieces that have not begun by then never do.
  package static func run(
    _ count: Int, threadCount: Int, _ body: @escaping @Sendable (_ piece: Int) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let job = Job(count: count, body: body)
    var threads: [pthread_t] = []
    for _ in 1..<max(1, min(threadCount, count)) {
      guard let thread = start(job) else { break }
      threads.append(thread)
    }
    job.work()
    // A thread that could not be made is no failure: the others do its share.
    threads.forEach { thread in _ = pthread_join(thread, nil) }
    if let failure = job.failure.withLock({ $0 }) { throw failure.error }
  }

  private static func start(_ job: Job) -> pthread_t? {
    var thread = pthread_t()
    let retained = unsafe Unmanaged.passRetained(job)
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
        return nil
      }, retained.toOpaque())
    guard code == 0 else {
      unsafe retained.release()
      return nil
    }
    return thread
  }

  private final class Job: Sendable {
    private let count: Int
    private let body: @Sendable (Int) throws(HeadraceError) -> Void
    private let next = Atomic(0)
    let failure = Mutex<(piece: Int, error: HeadraceError)?>(nil)

    init(count: Int, body: @escaping @Sendable (Int) throws(HeadraceError) -> Void) {
      self.count = count
      self.body = body
    }

    func work() {
      while true {
        let piece = next.add(1, ordering: .relaxed).oldValue
        guard piece < count, failure.withLock({ $0 == nil }) else { return }
        do throws(HeadraceError) {
          try body(piece)
        } catch {
          failure.withLock { failure in
            if failure.map({ piece < $0.piece }) ?? true { failure = (piece, error) }
          }
        }
      }
    }
  }
}
