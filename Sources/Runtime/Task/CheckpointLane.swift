internal import Core
internal import Kafka
internal import OfflineStore
internal import OnlineStore

/// The checkpoints of one task, on a thread of their own: the worker applies records while one is written. One at a
/// time.
final class CheckpointLane: Sendable {
  private let thread: BlockingThread
  private let report = Monitor<Result<Void, HeadraceError>?>(nil)
  private let wake: @Sendable () -> Void

  /// - Parameter wake: called after every report, on the lane's thread.
  init(wake: @escaping @Sendable () -> Void) throws(HeadraceError) {
    self.wake = wake
    thread = try BlockingThread(name: "checkpoint")
  }

  /// Rows for tables first, then the state, which names them. There is a report for it.
  ///
  /// - Parameter snapshot: is made of it when it is on the disk.
  func write(_ checkpoint: TakenCheckpoint, _ rows: SealedRows?, keptAs snapshot: SnapshotCopy?) {
    thread.post { [report, wake] in
      let result = Self.run(checkpoint, rows)
      if case .success = result { snapshot?.take(of: checkpoint) } else { snapshot?.giveUp() }
      report.change { $0 = result }
      wake()
    }
  }

  /// The report that has come, once.
  func take() -> Result<Void, HeadraceError>? { report.change { $0.take() } }

  /// Waits for the report, as long as the disk takes.
  func wait() -> Result<Void, HeadraceError> { report.wait { $0.take() } ?? .success(()) }

  private static func run(_ checkpoint: TakenCheckpoint, _ rows: SealedRows?) -> Result<Void, HeadraceError> {
    RuntimeKillPoint.pass(.checkpointBefore)
    do throws(HeadraceError) {
      try rows?.synchronize()
      RuntimeKillPoint.pass(.spoolSealed)
      try checkpoint.write()
      RuntimeKillPoint.pass(.checkpointAfter)
      return .success(())
    } catch {
      return .failure(error)
    }
  }
}
