package import Core
internal import Columns
internal import Delta
package import Storage

/// Brings rows from spools into their Delta tables, each exactly once.
///
/// A commit moves the table's `txn` of the partition from D to the end of its rows, and takes place only if it is still
/// at D: of a zombie and its successor, or of two tries whose outcome nobody heard, one writes. Files without commit
/// are orphans, which nobody sees and vacuum removes. One thread.
package final class TablePublisher {
  private let store: any BlobStore
  private var tables: [String: DeltaTable] = [:]

  package init(_ store: any BlobStore) { self.store = store }

  /// Where a test can make the process die on a table's way.
  package static let killPoints = [
    DeltaKillPoint.commitBeforeLog, .commitAfterLog, .checkpointBefore, .checkpointAfterFile,
  ].map(\.rawValue)

  /// D of a partition: the offset behind the last of its rows in the table; nil when it has none.
  package static func progress(_ table: OfflineTable, in store: any BlobStore) throws(HeadraceError) -> Int64? {
    try DeltaTable.open(store, try root(table))?.snapshot.transactionVersion(table.applicationID)
  }

  /// Publishes what is due of one task.
  ///
  /// - Returns: rows that were published.
  package func publishDue(
    _ ledger: SpoolLedger, nowMilliseconds: Int64, monotonicMilliseconds: Int64, freshnessMilliseconds: Int64,
    bytesMax: Int64
  ) -> Int64 {
    var rowCount: Int64 = 0
    while let work = ledger.due(
      nowMilliseconds: monotonicMilliseconds, freshnessMilliseconds: freshnessMilliseconds, bytesMax: bytesMax)
    {
      do throws(HeadraceError) {
        rowCount += try publish(work, of: ledger, nowMilliseconds: nowMilliseconds)
      } catch {
        // Whatever it was, the table is opened again, and says how far it is.
        tables[ledger.tables[work.table].name] = nil
        ledger.noteFailure(error)
        return rowCount
      }
    }
    return rowCount
  }

  private func publish(
    _ work: SpoolLedger.Work, of ledger: SpoolLedger, nowMilliseconds: Int64
  ) throws(HeadraceError) -> Int64 {
    let offline = ledger.tables[work.table]
    for _ in 0..<Self.attempts {
      var table = try open(offline, nowMilliseconds: nowMilliseconds)
      let found = table.snapshot.transactionVersion(offline.applicationID)
      if let found, found >= work.to {
        // An earlier try whose outcome nobody heard, or somebody else who has the same rows.
        ledger.notePublished(work.table, upTo: found)
        return 0
      }
      // Somebody else may have brought a part of the rows; nobody takes any back.
      guard found ?? .min >= work.from ?? .min else { throw Self.movedBack(offline, work.from, found, table.place) }
      let writer = try TableWriter(table)
      var rowCount: Int64 = 0
      do {
        rowCount = try write(
          work, of: ledger, offline, from: found ?? .min, to: writer, nowMilliseconds: nowMilliseconds)
      } catch {
        writer.abandon()
        throw error
      }
      let files = try writer.finish(nowMilliseconds: nowMilliseconds)
      var moves = [TransactionMove(applicationID: offline.applicationID, from: found, to: work.to)]
      if found == nil, let first = work.first {
        // Where the partition's rows begin: whoever reads them instead of the log has to know.
        moves.append(TransactionMove(applicationID: offline.beginningID, from: nil, to: first))
      }
      let transaction = TableTransaction.append(files, moves: moves, provenance: provenance(offline, work.to))
      let outcome = try table.commit(transaction, nowMilliseconds: nowMilliseconds)
      tables[offline.name] = table
      if case .committed = outcome {
        ledger.notePublished(work.table, upTo: work.to)
        try maintain(offline, nowMilliseconds: nowMilliseconds)
        return rowCount
      }
      // The table changed meanwhile: from its newest version again.
      tables[offline.name] = nil
    }
    throw HeadraceError(
      .external, "TABLE_CONTENDED", "other writers changed the table \(Self.attempts) times while rows were written",
      retry: .sameCall, place: offline.name)
  }

  private static let attempts = 5

  private func write(
    _ work: SpoolLedger.Work, of ledger: SpoolLedger, _ offline: OfflineTable, from first: Int64,
    to writer: TableWriter, nowMilliseconds: Int64
  ) throws(HeadraceError) -> Int64 {
    var rowCount: Int64 = 0
    var batch = ColumnBatch(offline.types)
    for (segment, position) in work.parts {
      var reader = try SpoolSegmentReader(path: ledger.folder.file(segment.number), sizeBytes: segment.sizeBytes)
      while try reader.next(table: position, into: &batch) {
        batch.keep { row, batch in batch.columns[offline.offsetField].integers[row] >= first }
        rowCount += Int64(batch.rowCount)
        try writer.append(batch, nowMilliseconds: nowMilliseconds)
      }
    }
    return rowCount
  }

  /// The table as it is known, made if it is not there, with all columns that the rows have.
  private func open(_ offline: OfflineTable, nowMilliseconds: Int64) throws(HeadraceError) -> DeltaTable {
    if let known = tables[offline.name] { return known }
    let fields = offline.fields.map { DeltaField($0.name, DeltaType($0.type), isNullable: $0.isNullable) }
    var table = try DeltaTable.openOrCreate(
      store, try Self.root(offline), schema: try DeltaSchema(fields), name: offline.name,
      nowMilliseconds: nowMilliseconds)
    if let schema = try table.snapshot.metadata.schema.adding(fields, table.place) {
      var metadata = table.snapshot.metadata
      metadata.schema = schema
      _ = try table.commit(.evolution(metadata), nowMilliseconds: nowMilliseconds)
      try table.refresh()
    }
    tables[offline.name] = table
    return table
  }

  /// Small files become large ones and the log gets a checkpoint now and then, so that reading the table stays quick.
  private func maintain(_ offline: OfflineTable, nowMilliseconds: Int64) throws(HeadraceError) {
    guard var table = tables[offline.name], table.snapshot.version % Self.checkpointInterval == 0 else { return }
    if table.snapshot.version % Self.compactionInterval == 0 {
      _ = try table.compact(nowMilliseconds: nowMilliseconds)
      tables[offline.name] = table
    }
    try table.checkpoint(nowMilliseconds: nowMilliseconds)
  }

  /// As other writers do.
  private static let checkpointInterval: Int64 = 10
  /// Commits, of all partitions together: ten minutes of one partition at the usual freshness.
  private static let compactionInterval: Int64 = 30

  private static func root(_ table: OfflineTable) throws(HeadraceError) -> BlobName { try BlobName(table.name) }

  private func provenance(_ table: OfflineTable, _ offset: Int64) -> CommitProvenance {
    var provenance = CommitProvenance()
    provenance.offsets = [.init(topic: table.topic, partition: table.partition, offset: offset)]
    return provenance
  }

  private static func movedBack(
    _ table: OfflineTable, _ expected: Int64?, _ found: Int64?, _ place: String
  ) -> HeadraceError {
    HeadraceError(
      .user, "TABLE_MOVED_BACK",
      "the table holds rows of \(table.topic)/\(table.partition) up to \(found.map(String.init) ?? "none"), and held "
        + "them up to \(expected.map(String.init) ?? "none") before", place: place,
      remedy: "it was restored or deleted: put back the newer version, or move the task's state away, so that missing "
        + "rows are made again from the log")
  }
}
