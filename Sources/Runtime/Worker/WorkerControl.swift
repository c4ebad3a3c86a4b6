internal import Core
internal import Kafka

/// How other threads talk to a worker.
final class WorkerControl: Sendable {
  private struct State: Sendable {
    var isStopping = false
    var isAbandoning = false
    var hasEnded = false
    /// The wall clock was set back.
    var hasClockStep = false
    /// What to run from the next session on.
    var next: TaskContext?
    /// Where tasks left off when another plan was to be run.
    var left: [Int32: [TopicPartition: Int64]] = [:]
    var waker: Consumer.Waker?
  }

  private let state = Monitor(State())

  var isStopping: Bool { state.change { $0.isStopping } }

  func set(waker: Consumer.Waker) { state.change { $0.waker = waker } }

  /// Ends the poll that waits.
  var wake: @Sendable () -> Void {
    { [state] in state.change { $0.waker }?.wake() }
  }

  func stop() {
    state.change { $0.isStopping = true }
    wake()
  }

  /// Ends the worker as a crash would: nothing is committed, nothing is saved.
  func abandon() {
    state.change {
      $0.isStopping = true
      $0.isAbandoning = true
    }
    wake()
  }

  var isAbandoning: Bool { state.change { $0.isAbandoning } }

  /// What waits by the wall clock would wait for too long.
  func noteClockStep() {
    state.change { $0.hasClockStep = true }
    wake()
  }

  func takeClockStep() -> Bool {
    state.change { state in
      defer { state.hasClockStep = false }
      return state.hasClockStep
    }
  }

  /// Another plan: the tasks commit, save and close, and a session with the other plan begins.
  func replace(_ context: TaskContext) {
    state.change {
      $0.next = context
      $0.left = [:]
    }
    wake()
  }

  /// What was taken and cannot be run yet; a newer one counts more.
  func giveBack(_ context: TaskContext) { state.change { if $0.next == nil { $0.next = context } } }

  var hasContext: Bool { state.change { $0.next != nil } }
  func takeContext() -> TaskContext? { state.change { $0.next.take() } }

  func noteLeft(_ task: Int32, _ offsets: [TopicPartition: Int64]) { state.change { $0.left[task] = offsets } }
  func takeLeft() -> [Int32: [TopicPartition: Int64]] {
    state.change { state in
      defer { state.left = [:] }
      return state.left
    }
  }

  func noteEnd() { state.change { $0.hasEnded = true } }

  /// - Returns: whether the worker has ended.
  func waitForEnd(timeoutMilliseconds: Int64) -> Bool {
    state.wait(timeoutMilliseconds: timeoutMilliseconds) { $0.hasEnded ? true : nil } ?? false
  }

  /// Waits, but no longer than until the worker is told to stop.
  func pause(milliseconds: Int) {
    _ = state.wait(timeoutMilliseconds: Int64(milliseconds)) { $0.isStopping ? true : nil }
  }
}
