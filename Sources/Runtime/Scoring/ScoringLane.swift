internal import Core
internal import Cost
internal import Kafka
internal import Synchronization

/// The models of one task, on a thread of their own: the worker applies the next records while a batch is scored and
/// written.
///
/// Everything comes in one queue and is done in its order: batches, other versions of the models, the cut at which a
/// commit takes what was written up to there. So a prediction is in the transaction of its event, and of the versions
/// that are in force at its offset, whatever the threads do. The state of the task does not depend on what is done
/// here: what is lost with the process is made again from C.
final class ScoringLane: Sendable {
  /// How far scoring may be behind the worker: with more than this the worker waits.
  private static let batchesMaximum = 4

  private enum Job: Sendable {
    case score(ScoringBatch, ScoringStage)
    case take(ModelEpoch, ScoringStage)
    case cut(PredictionCut)
    case fill(PredictionBuffers)
    case forget
  }

  private struct Queue: Sendable {
    var jobs: [Job] = []
    /// Those that wait, and the one that is being scored.
    var batches = 0
    /// What came back from a commit.
    var spare: PredictionBuffers?
    var isStopped = false
  }

  private final class Shared: Sendable {
    let queue = Monitor(Queue())
    let heldBytes = Atomic<Int>(0)
  }

  private let shared = Shared()

  init(_ buffers: PredictionBuffers, _ account: CostAccount) throws(HeadraceError) {
    try BlockingThread.start(name: "score") { [shared] in Self.run(shared, buffers, account) }
  }

  /// The thread does what is queued, and ends.
  deinit { shared.queue.change { $0.isStopped = true } }

  /// The size of what waits for a cut.
  var heldBytes: Int { shared.heldBytes.load(ordering: .relaxed) }

  /// Queues a batch of the stage, which gets it back; waits while there are too many.
  func score(_ batch: ScoringBatch, _ stage: ScoringStage) {
    // Nobody else queues batches: room stays room.
    _ = shared.queue.wait { $0.batches < Self.batchesMaximum ? true : nil }
    shared.queue.change { queue in
      queue.batches += 1
      queue.jobs.append(.score(batch, stage))
    }
  }

  /// Batches of the stage that are queued from here on are scored by this epoch.
  func take(_ epoch: ModelEpoch, _ stage: ScoringStage) { post(.take(epoch, stage)) }

  /// What is made of all batches up to here.
  func cut() -> PredictionCut {
    let cut = PredictionCut()
    post(.cut(cut))
    return cut
  }

  /// The buffers of a cut, to be filled again.
  func giveBack(_ buffers: PredictionBuffers) { shared.queue.change { $0.spare = buffers } }

  /// Predictions go to these from here on: another plan has other models. What waits for a cut is gone.
  func fill(_ buffers: PredictionBuffers) {
    shared.queue.change { queue in
      queue.spare = nil
      queue.jobs.append(.fill(buffers))
    }
  }

  /// What is queued and what waits for a cut is made again.
  func forget() { post(.forget) }

  private func post(_ job: Job) { shared.queue.change { $0.jobs.append(job) } }

  private static func run(_ shared: Shared, _ buffers: PredictionBuffers, _ account: CostAccount) {
    let outputs = PredictionOutputs(buffers)
    let meters = ScoringMeters(account)
    while let jobs = shared.queue.wait({ take(&$0) }), !jobs.isEmpty {
      for job in jobs {
        switch job {
        case .score(let batch, let stage):
          stage.score(batch, outputs, meters)
          stage.keepSpare(batch)
          shared.heldBytes.store(outputs.sizeBytes, ordering: .relaxed)
          shared.queue.change { $0.batches -= 1 }
        case .take(let epoch, let stage): stage.take(epoch)
        case .cut(let cut):
          if let failure = outputs.failure {
            cut.fill(.failure(failure))
          } else {
            let next = shared.queue.change { $0.spare.take() } ?? outputs.another
            let buffers = outputs.exchange(for: next)
            meters.markOutputs(buffers)
            cut.fill(.success(buffers))
          }
        case .fill(let buffers): outputs.fill(buffers)
        case .forget: outputs.removeAll()
        }
        shared.heldBytes.store(outputs.sizeBytes, ordering: .relaxed)
      }
    }
  }

  /// All that waits; empty when the thread shall end; nil when there is nothing to do yet.
  private static func take(_ queue: inout Queue) -> [Job]? {
    if queue.jobs.isEmpty { return queue.isStopped ? [] : nil }
    defer { queue.jobs.removeAll() }
    return queue.jobs
  }
}

/// What the models of a task said up to a commit. Filled by the lane, waited for by the thread that commits.
final class PredictionCut: Sendable {
  private let content = Monitor<Result<PredictionBuffers, HeadraceError>?>(nil)

  func fill(_ result: Result<PredictionBuffers, HeadraceError>) { content.change { $0 = result } }

  /// Waits until everything in front of it is written.
  func wait() throws(HeadraceError) -> PredictionBuffers {
    guard let result = content.wait({ $0 }) else { throw HeadraceError(.internal, "NO_PREDICTIONS", "nothing was cut") }
    return try result.get()
  }

  /// Takes the buffers out, when they are there.
  func take() -> PredictionBuffers? { content.change { try? $0.take()?.get() } }
}

/// What the lane measures itself by. Belongs to its thread.
final class ScoringMeters {
  let clock: StageClock
  let batchSizes: BatchSizeMeter
  private let table: MeterTable
  private let outputs: MeterTable.Slot

  init(_ account: CostAccount) {
    table = account.meters
    batchSizes = account.batchSizes
    clock = StageClock(account.meters)
    outputs = account.meters.slot(.outputs)
  }

  func markOutputs(_ buffers: PredictionBuffers) {
    clock.mark(outputs, items: buffers.all.reduce(0) { $0 + $1.count })
    clock.add(buffers.sizeBytes, .networkBytesOut, to: outputs)
  }
}
