internal import Columns
internal import Contracts
internal import Core
internal import Kafka
internal import OfflineStore
internal import Storage
internal import Topology

/// Reads the archive of one partition on a thread of its own, a few batches ahead: a worker never waits for a table.
///
/// The thread ends with the last batch, with a failure, or soon after its stream is gone.
final class ArchiveStream: Sendable {
  /// What is wanted.
  struct Request: Sendable {
    var store: any BlobStore
    var topology: String
    var source: SourcePlan
    var partition: TopicPartition
    var offsets: Range<Int64>
  }

  enum Next {
    case batch(ArchivedRows)
    /// The table has not answered yet.
    case nothingYet
    /// - Parameter reach: what the archive has of the partition; nil: nothing.
    case end(reach: ArchiveSnapshot.Reach?)
  }

  private struct State: Sendable {
    var batches: [ArchivedRows] = []
    var reach: ArchiveSnapshot.Reach?
    var hasEnded = false
    var isStopped = false
    var failure: HeadraceError?
  }

  private let state = Monitor(State())
  private static let batchesMax = 4

  init(_ request: Request) throws(HeadraceError) {
    try BlockingThread.start(name: "archive") { [state] in
      do throws(HeadraceError) {
        try Self.read(request, into: state)
        state.change { $0.hasEnded = true }
      } catch {
        state.change { $0.failure = error }
      }
    }
  }

  deinit { state.change { $0.isStopped = true } }

  /// Whether `next` has something to say.
  var isReady: Bool { state.change { !$0.batches.isEmpty || $0.hasEnded || $0.failure != nil } }

  func next() throws(HeadraceError) -> Next {
    let result: Result<Next, HeadraceError> = state.change { state in
      if !state.batches.isEmpty { return .success(.batch(state.batches.removeFirst())) }
      if let failure = state.failure { return .failure(failure) }
      return .success(state.hasEnded ? .end(reach: state.reach) : .nothingYet)
    }
    return try result.get()
  }

  private static func read(_ request: Request, into state: Monitor<State>) throws(HeadraceError) {
    guard let archive = try ArchiveSnapshot.open(request.store, source: request.source.name),
      let reach = try archive.reach(
        topology: request.topology, topic: request.partition.topic, partition: request.partition.partition)
    else { return }
    state.change { $0.reach = reach }
    let end = min(reach.nextOffset, request.offsets.upperBound)
    guard request.offsets.lowerBound < end else { return }
    let fields = request.source.contract.fields
    let reader = try archive.reader(
      .init(
        topic: request.partition.topic, partition: request.partition.partition,
        fields: fields.map { .init($0.path, $0.type) }, defaults: fields.map { $0.defaultValue ?? .null },
        offsets: request.offsets.lowerBound..<end))
    var batch = ColumnBatch(reader.types)
    while try reader.next(into: &batch) {
      let rows = ArchivedRows(batch: batch, fieldCount: fields.count)
      var isTaken = false
      while !isTaken {
        isTaken =
          state.wait(timeoutMilliseconds: 1_000) { state in
            guard state.batches.count < batchesMax || state.isStopped else { return nil }
            state.batches.append(rows)
            return true
          } ?? false
      }
      guard !state.change({ $0.isStopped }) else { return }
    }
  }
}
