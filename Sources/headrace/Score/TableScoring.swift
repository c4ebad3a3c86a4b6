internal import Columns
internal import Core
internal import Delta
internal import Inference
internal import Storage
internal import Synchronization

/// Reads a Delta table batch by batch, scores it, and writes another one: memory does not grow with the tables.
///
/// The output's log says by a `txn` which version of the input its rows were made of. A commit moves it from there to
/// the version that was read, together with the rows; of two runs at the same time one writes, and the other finds
/// nothing left to do.
struct TableScoring: Sendable {
  let model: ScoringModel
  let store: any BlobStore
  let input: String
  let output: String
  /// nil: all.
  let columns: [String]?
  /// nil: as the model's file names them.
  let features: [String]?
  let scoreName: String
  let overwrites: Bool
  let threadCount: Int

  struct Report: Sendable {
    var inputVersion: Int64
    /// nil: there was nothing to do.
    var outputVersion: Int64?
    var rowCount = 0
    var milliseconds: Int64 = 0
  }

  private static let attempts = 5

  func run() throws(HeadraceError) -> Report {
    let started = WallClock.monotonic.nowMilliseconds
    let source = try TableReference.open(input, in: store)
    let shape = try ScoredColumns(
      model.compiled.model, source, columns: columns, features: features, scoreName: scoreName)
    let application = "headrace-score/\(model.name)/\(source.snapshot.metadata.id)"
    var report = Report(inputVersion: source.snapshot.version)
    for _ in 0..<Self.attempts {
      var target = try DeltaTable.openOrCreate(
        store, try BlobName(output), schema: shape.schema, name: output,
        nowMilliseconds: WallClock.system.nowMilliseconds)
      try shape.requireSame(target)
      let reached = target.snapshot.transactionVersion(application)
      guard overwrites || reached.map({ $0 < report.inputVersion }) ?? true else { return report }
      let files = try files(of: source, after: overwrites ? nil : reached)
      let (written, rowCount) = try score(files, of: source, shape, into: target)
      let outcome = try target.commit(
        transaction(written, target, move: .init(applicationID: application, from: reached, to: report.inputVersion)),
        nowMilliseconds: WallClock.system.nowMilliseconds)
      guard case .committed(let version) = outcome else { continue }
      report.outputVersion = version
      report.rowCount = rowCount
      report.milliseconds = WallClock.monotonic.nowMilliseconds - started
      return report
    }
    throw HeadraceError(
      .external, "TABLE_CONTENDED", "other writers changed the table \(Self.attempts) times while rows were scored",
      retry: .sameCall, place: "\(store.place)/\(output)", remedy: "try again")
  }

  private func files(of source: DeltaTable, after version: Int64?) throws(HeadraceError) -> [DataFile] {
    guard let version else { return source.snapshot.files }
    let remedy = "score all rows anew with --overwrite"
    do throws(HeadraceError) {
      switch try source.additions(after: version) {
      case .appended(let files): return files
      case .rewritten(let changed):
        throw HeadraceError(
          .user, "SCORED_ROWS_CHANGED",
          "rows that were scored at version \(version) were changed or removed by version \(changed)",
          place: source.place, remedy: remedy)
      }
    } catch {
      guard error.code == "DELTA_LOG_GAP" else { throw error }
      throw HeadraceError(
        .user, "SCORED_ROWS_CHANGED", "the log does not say any more what came after version \(version)",
        place: source.place, remedy: remedy)
    }
  }

  private func transaction(_ files: [DataFile], _ target: DeltaTable, move: TransactionMove) -> TableTransaction {
    guard overwrites else { return .append(files, moves: [move]) }
    var description = CommitDescription(operation: "WRITE")
    description.parameters = [("mode", "Overwrite")]
    var transaction = TableTransaction(description)
    let now = WallClock.system.nowMilliseconds
    transaction.added = files
    transaction.removed = target.snapshot.files.map { $0.removed(atMilliseconds: now, isDataChange: true) }
    transaction.moves = [move]
    transaction.readsWholeTable = true
    return transaction
  }

  /// Each thread takes file after file, with a scorer and an output file of its own.
  private func score(
    _ files: [DataFile], of source: DeltaTable, _ shape: ScoredColumns, into target: DeltaTable
  ) throws(HeadraceError) -> (files: [DataFile], rowCount: Int) {
    let lanes = max(1, min(threadCount, files.count))
    let (work, model) = (SharedWork(), model)
    try ParallelWork.run(lanes, threadCount: lanes) { (_) throws(HeadraceError) in
      let writer = try TableWriter(target)
      var lane = ScoringLane(model, shape)
      do throws(HeadraceError) {
        while let file = work.take(files) { try lane.score(file, of: source, to: writer) }
        work.add(try writer.finish(nowMilliseconds: WallClock.system.nowMilliseconds), lane.rowCount)
      } catch {
        writer.abandon()
        throw error
      }
    }
    return work.result.withLock { $0 }
  }
}

/// Which files are taken, and what came of them.
private final class SharedWork: Sendable {
  let result = Mutex<(files: [DataFile], rowCount: Int)>(([], 0))
  private let next = Atomic(0)

  func take(_ files: [DataFile]) -> DataFile? {
    let index = next.add(1, ordering: .relaxed).oldValue
    return index < files.count ? files[index] : nil
  }

  func add(_ files: [DataFile], _ rowCount: Int) {
    result.withLock { result in
      result.files += files
      result.rowCount += rowCount
    }
  }
}
