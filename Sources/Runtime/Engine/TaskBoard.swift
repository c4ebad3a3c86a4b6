internal import Core
internal import OnlineStore
internal import Synchronization
internal import Topology

/// What the workers tell the threads that read: which tasks are here, and how far they are.
final class TaskBoard: Sendable {
  private struct State: Sendable {
    var plan: Plan
    var partitionCount: Int32?
    var tasks: [Int32: TaskPublication] = [:]
    var failure: HeadraceError?
    /// Where the logs of our partitions end.
    var ends: [TopicPartition: Int64] = [:]
  }

  private let state: Mutex<State>

  init(plan: Plan) { state = Mutex(State(plan: plan)) }

  var plan: Plan { state.withLock { $0.plan } }
  var partitionCount: Int32? { state.withLock { $0.partitionCount } }
  var failure: HeadraceError? { state.withLock { $0.failure } }
  var tasks: [TaskPublication] { state.withLock { $0.tasks.values.sorted { $0.partition < $1.partition } } }

  var ends: [TopicPartition: Int64] { state.withLock { $0.ends } }
  func set(ends: [TopicPartition: Int64]) { state.withLock { $0.ends = ends } }

  func set(plan: Plan) { state.withLock { $0.plan = plan } }
  func set(partitionCount: Int32) { state.withLock { $0.partitionCount = partitionCount } }
  func set(failure: HeadraceError) { state.withLock { $0.failure = $0.failure ?? failure } }

  func publish(_ task: TaskPublication) { state.withLock { $0.tasks[task.partition] = task } }

  /// Only the one that was published goes: another worker may have taken the task over already.
  func withdraw(_ task: TaskPublication) {
    state.withLock { if $0.tasks[task.partition] === task { $0.tasks[task.partition] = nil } }
  }

  func task(_ partition: Int32) -> TaskPublication? { state.withLock { $0.tasks[partition] } }
}

/// One task as other threads see it. The worker writes to it once per batch, never per record.
final class TaskPublication: Sendable {
  /// What a read needs of a view.
  struct Access: Sendable {
    var storeView: Int
    var watermark: Int64
  }

  /// A view of the plan in this task.
  enum ViewState: Sendable, Equatable {
    case ready(storeView: Int, watermark: Int64)
    case building(name: String)
  }

  struct State: Sendable {
    var status: TaskStatus
    /// The views of the plan that the task runs, by their fingerprints: whoever reads may go by another plan.
    var fingerprints: [Fingerprint] = []
    /// By position in `fingerprints`.
    var views: [ViewState] = []
    /// What the rows of repartitioned views hold, by the store's number of the view.
    var reaches: [Int: [UpstreamReach]] = [:]
    var isReadable = false
    /// Reads that wait until an offset is applied.
    var waiters: [Waiter] = []
    /// The task went: nothing will be told any more.
    var isEnded = false
  }

  struct Waiter: Sendable {
    var topic: String
    var offset: Int64
    var deadlineMilliseconds: Int64
    var resume: @Sendable (Bool) -> Void
  }

  let partition: Int32
  let store: TaskStore
  private let state: Mutex<State>

  init(partition: Int32, store: TaskStore, status: TaskStatus) {
    self.partition = partition
    self.store = store
    state = Mutex(State(status: status))
  }

  var status: TaskStatus { state.withLock { $0.status } }

  /// - Parameter name: of the view, for messages.
  func access(_ view: Fingerprint, _ name: String) throws(ReadError) -> Access {
    let found: Result<Access, ReadError> = state.withLock { state in
      guard state.isReadable else {
        let why = state.status.whyNotMoving ?? "the task is being restored"
        return .failure(.notReady(partition: partition, why: why))
      }
      // A view that the task's plan does not have yet: it is about to be built.
      guard let position = state.fingerprints.firstIndex(of: view), position < state.views.count else {
        return .failure(.building(view: name))
      }
      switch state.views[position] {
      case .ready(let storeView, let watermark): return .success(Access(storeView: storeView, watermark: watermark))
      case .building(let name): return .failure(.building(view: name))
      }
    }
    return try found.get()
  }

  /// How far one of the task's inputs is applied; nil when it has no such input.
  func appliedOffset(of topic: String) -> Int64? {
    state.withLock { state in state.status.inputs.first { $0.topic == topic }?.appliedOffset }
  }

  /// The same, and what the rows of a repartitioned view hold there.
  func reach(of storeView: Int, _ topic: String) -> (appliedOffset: Int64, upstreams: [UpstreamReach])? {
    state.withLock { state in
      guard let input = state.status.inputs.first(where: { $0.topic == topic }),
        let upstreams = state.reaches[storeView]
      else { return nil }
      return (input.appliedOffset, upstreams)
    }
  }

  /// Changes what others see, and answers those who wait for it.
  func update(nowMilliseconds: Int64, _ body: (inout State) -> Void) {
    var answers: [(Waiter, Bool)] = []
    state.withLock { state in
      body(&state)
      guard !state.waiters.isEmpty else { return }
      let waiting = state.waiters
      state.waiters = []
      for waiter in waiting {
        if state.hasApplied(waiter.topic, waiter.offset) {
          answers.append((waiter, true))
        } else if waiter.deadlineMilliseconds <= nowMilliseconds {
          answers.append((waiter, false))
        } else {
          state.waiters.append(waiter)
        }
      }
    }
    for (waiter, isApplied) in answers { waiter.resume(isApplied) }
  }

  /// Calls `resume` once: with true as soon as the record at `offset` is applied, with false when time is over or the
  /// task goes.
  func wait(for waiter: Waiter) {
    let answer: Bool? = state.withLock { state in
      if state.isReadable && state.hasApplied(waiter.topic, waiter.offset) { return true }
      // Whoever found the task just before it went would wait for ever.
      if state.isEnded { return false }
      state.waiters.append(waiter)
      return nil
    }
    if let answer { waiter.resume(answer) }
  }

  /// The task goes: nobody may wait for it.
  func end() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.isReadable = false
      state.isEnded = true
      return state.waiters
    }
    for waiter in waiters { waiter.resume(false) }
  }
}

extension TaskPublication.State {
  fileprivate func hasApplied(_ topic: String, _ offset: Int64) -> Bool {
    isReadable && status.inputs.contains { $0.topic == topic && $0.appliedOffset > offset }
  }
}
