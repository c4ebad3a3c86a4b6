internal import Core
internal import Kafka
internal import Synchronization

/// The transactions of one task, on a thread of their own: the worker applies records while a commit waits for the
/// brokers.
///
/// One job at a time, in order. Each new life (`start`) closes the producer before it, and what the older lives still
/// report is dropped: after any failure there is nothing to ask an old producer.
final class CommitLane: Sendable {
  /// What became of a job.
  enum Report: Sendable {
    /// Older producers of the task are fenced, and their transactions are over.
    case started
    case startFailed(HeadraceError)
    case committed
    case failed(HeadraceError)
  }

  /// One transaction.
  struct Request: Sendable {
    var outputs: [ProduceBatch]
    /// What models say of the records up to `offsets`; waited for.
    var predictions: PredictionCut?
    var offsets: [TopicPartition: CommittedOffset]
    var group: MemberProof
  }

  private struct Inbox: Sendable {
    var life = 0
    var report: Report?
  }

  /// Touched on the lane's thread alone.
  private final class Owner: @unchecked Sendable {
    var producer: TransactionalProducer?
  }

  private let thread: BlockingThread
  private let inbox = Monitor(Inbox())
  private let owner = Owner()
  private let producer: ProducerConfiguration
  private let transaction: TransactionConfiguration
  private let wake: @Sendable () -> Void

  /// - Parameter wake: called after every report, on the lane's thread.
  init(
    _ producer: ProducerConfiguration, _ transaction: TransactionConfiguration, wake: @escaping @Sendable () -> Void
  ) throws(HeadraceError) {
    self.producer = producer
    self.transaction = transaction
    self.wake = wake
    thread = try BlockingThread(name: "commit")
  }

  deinit {
    let owner = owner
    thread.post { owner.producer?.close() }
    thread.stop()
  }

  /// Makes a new producer, which fences those before it.
  func start() {
    let life = inbox.change { inbox in
      inbox.life += 1
      inbox.report = nil
      return inbox.life
    }
    post(life) { [owner, producer, transaction] in
      owner.producer?.close()
      owner.producer = nil
      do throws(HeadraceError) {
        let new = try TransactionalProducer(producer, transaction)
        do throws(HeadraceError) {
          try new.initialize(timeoutMilliseconds: transaction.timeoutMilliseconds &* 3)
        } catch {
          new.close()
          throw error
        }
        owner.producer = new
        return .started
      } catch {
        return .startFailed(error)
      }
    }
  }

  /// Commits. There is a report for it, unless `start` is called first.
  func commit(_ request: Request) {
    let life = inbox.change { $0.life }
    post(life) { [owner, transaction] in
      guard let producer = owner.producer else {
        return .failed(HeadraceError(.internal, "NO_PRODUCER", "the task has no producer", retry: .newInstance))
      }
      do throws(HeadraceError) {
        try Self.run(request, with: producer, timeoutMilliseconds: transaction.timeoutMilliseconds)
        return .committed
      } catch {
        return .failed(error)
      }
    }
  }

  /// The report that has come, once.
  func take() -> Report? { inbox.change { $0.report.take() } }

  /// Waits for a report.
  func wait(timeoutMilliseconds: Int64) -> Report? {
    inbox.wait(timeoutMilliseconds: timeoutMilliseconds) { $0.report.take() }
  }

  private func post(_ life: Int, _ job: @escaping @Sendable () -> Report) {
    thread.post { [inbox, wake] in
      guard inbox.change({ $0.life }) == life else { return }
      let report = job()
      inbox.change { if $0.life == life { $0.report = report } }
      wake()
    }
  }

  private static func run(
    _ request: Request, with producer: TransactionalProducer, timeoutMilliseconds: Int32
  ) throws(HeadraceError) {
    let predictions = try request.predictions?.wait().all ?? []
    RuntimeKillPoint.pass(.commitBeforeSend)
    try producer.begin()
    var hasOutputs = false
    for batch in request.outputs + predictions where !batch.isEmpty {
      try producer.send(batch)
      hasOutputs = true
    }
    if hasOutputs { try producer.flush(timeoutMilliseconds: timeoutMilliseconds) }
    RuntimeKillPoint.pass(.commitAfterOutputs)
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(timeoutMilliseconds)
    while true {
      do throws(HeadraceError) {
        try producer.sendOffsets(
          request.offsets, group: request.group.metadata, timeoutMilliseconds: timeoutMilliseconds)
        break
      } catch {
        guard error.retry == .sameCall, WallClock.monotonic.nowMilliseconds < deadline else { throw error }
      }
    }
    RuntimeKillPoint.pass(.commitBeforeEnd)
    try producer.commit(timeoutMilliseconds: timeoutMilliseconds)
    RuntimeKillPoint.pass(.commitAfterEnd)
  }
}

/// Who a worker is in its group, carried to the thread that commits.
final class MemberProof: @unchecked Sendable {
  // Unchecked: constant; the library only reads it.
  let metadata: GroupMetadata

  init(_ metadata: consuming GroupMetadata) { self.metadata = metadata }
}
