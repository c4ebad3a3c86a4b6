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
  /// The columns that a table is known to have.
  private var knownFields: [String: [OfflineTable.Field]] = [:]

  package init(_ store: any BlobStore) { self.store = store }

  /// Where a test can make the process die on a table's way.
  package static let killPoints = [
    DeltaKillPoint.commitBeforeLog, .commitAfterLog, .checkpointBefore, .checkpointAfterFile,
  ].map(\.rawValue)

  /// D of a partition: the offset behind the last of its rows in the table; nil when it has none.
  package static func progress(_ table: OfflineTable, in store: any BlobStore) throws(HeadraceError) -> Int64? {
    try DeltaTable.open(store, try root(table))?.snapshot.transactionVersion(table.applicationID)
  }

  /// What became of the rows that were due, by table.
  package struct Outcome: Sendable {
    package var rowCounts: [String: Int64] = [:]
    package var failures: [String: HeadraceError] = [:]
  }

  /// Publishes what is due of one task. A table that fails keeps no other one waiting.
  package func publishDue(
    _ ledger: SpoolLedger, nowMilliseconds: Int64, monotonicMilliseconds: Int64, freshnessMilliseconds: Int64,
    bytesMax: Int64
  ) -> Outcome {
    var outcome = Outcome()
    var failed: Set<Int> = []
    while let work = ledger.due(
      nowMilliseconds: monotonicMilliseconds, freshnessMilliseconds: freshnessMilliseconds, bytesMax: bytesMax,
      except: failed)
    {
      let name = ledger.tables[work.table].name
      do throws(HeadraceError) {
        outcome.rowCounts[name, default: 0] += try publish(work, of: ledger, nowMilliseconds: nowMilliseconds)
      } catch {
        // Whatever it was, the table is opened again, and says how far it is.
        tables[name] = nil
        ledger.noteFailure(error, of: work.table)
        outcome.failures[name] = error
        failed.insert(work.table)
      }
    }
    return outcome
  }

  private func publish(
    _ work: SpoolLedger.Work, of ledger: SpoolLedger, nowMilliseconds: Int64
  ) throws(HeadraceError) -> Int64 {
    let offline = ledger.tables[work.table]
    var former: [SpoolHeader.Column] = []
    for part in work.parts {
      former += try Self.table(part, try Self.reader(part.segment, ledger).header).columns.filter { column in
        !former.contains { $0.name == column.name }
      }
    }
    for _ in 0..<Self.attempts {
      var table = try open(offline, former: former, nowMilliseconds: nowMilliseconds)
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
          work, of: ledger, offline, from: found ?? .min, to: writer, table.snapshot.metadata.schema,
          nowMilliseconds: nowMilliseconds)
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
      let transaction = TableTransaction.append(files, moves: moves, provenance: provenance(offline, work))
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
    to writer: TableWriter, _ schema: DeltaSchema, nowMilliseconds: Int64
  ) throws(HeadraceError) -> Int64 {
    var rowCount: Int64 = 0
    for part in work.parts {
      var reader = try Self.reader(part.segment, ledger)
      let table = try Self.table(part, reader.header)
      guard let offsets = table.index(of: offline.offsetName) else { throw Self.foreign(part.segment, offline.name) }
      var batch = ColumnBatch(table.types)
      while try reader.next(table: part.position, into: &batch) {
        batch.keep { row, batch in batch.columns[offsets].integers[row] >= first }
        rowCount += Int64(batch.rowCount)
        try writer.append(try Self.aligned(batch, table, schema), nowMilliseconds: nowMilliseconds)
      }
    }
    return rowCount
  }

  /// The rows with a column for each of the table's, in its order: it may have columns that came later, or that the
  /// plan has no more.
  private static func aligned(
    _ batch: ColumnBatch, _ table: SpoolHeader.Table, _ schema: DeltaSchema
  ) throws(HeadraceError) -> ColumnBatch {
    let types = try schema.columnTypes(table.name)
    guard types != table.types || schema.fields.map(\.name) != table.columns.map(\.name) else { return batch }
    var columns: [Column] = []
    for (field, type) in zip(schema.fields, types) {
      if let index = table.index(of: field.name) {
        columns.append(batch.columns[index])
      } else {
        var column = Column(type)
        column.appendNulls(batch.rowCount)
        columns.append(column)
      }
    }
    return ColumnBatch(columns: columns, rowCount: batch.rowCount)
  }

  private static func reader(
    _ segment: SpoolRecord.Segment, _ ledger: SpoolLedger
  ) throws(HeadraceError) -> SpoolSegmentReader {
    try SpoolSegmentReader(path: ledger.folder.file(segment.number), sizeBytes: segment.sizeBytes)
  }

  private static func table(
    _ part: SpoolLedger.Work.Part, _ header: SpoolHeader
  ) throws(HeadraceError) -> SpoolHeader.Table {
    let name = part.segment.tables[part.position].table
    guard part.position < header.tables.count, header.tables[part.position].name == name else {
      throw foreign(part.segment, name)
    }
    return header.tables[part.position]
  }

  private static func foreign(_ segment: SpoolRecord.Segment, _ name: String) -> HeadraceError {
    HeadraceError(
      .external, "SPOOL_CORRUPT", "segment \(segment.number) of the spool does not hold rows of the table", place: name,
      remedy: "move the task's state away: it is rebuilt from the log, and tables go on where they are")
  }

  /// The table as it is known, made if it is not there, with all columns that the rows have.
  ///
  /// - Parameter former: columns that waiting rows of an earlier plan have.
  private func open(
    _ offline: OfflineTable, former: [SpoolHeader.Column], nowMilliseconds: Int64
  ) throws(HeadraceError) -> DeltaTable {
    let others = former.filter { column in !offline.fields.contains { $0.name == column.name } }
    if let known = tables[offline.name], others.isEmpty, knownFields[offline.name] == offline.fields { return known }
    let fields =
      offline.fields.map { field in
        DeltaField(
          field.name, DeltaType(field.type), isNullable: field.isNullable, metadata: Self.metadata(field.comment))
      } + others.map { DeltaField($0.name, DeltaType($0.type)) }
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
    knownFields[offline.name] = offline.fields
    return table
  }

  /// What Spark and others show as a column's comment.
  private static func metadata(_ comment: String) -> String {
    guard !comment.isEmpty else { return "{}" }
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("comment")
      writer.string(comment)
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func maintain(_ offline: OfflineTable, nowMilliseconds: Int64) throws(HeadraceError) {
    guard var table = tables[offline.name] else { return }
    try TableUpkeep.run(&table, in: store, nowMilliseconds: nowMilliseconds)
    tables[offline.name] = table
  }

  private static func root(_ table: OfflineTable) throws(HeadraceError) -> BlobName { try BlobName(table.name) }

  private func provenance(_ table: OfflineTable, _ work: SpoolLedger.Work) -> CommitProvenance {
    var provenance = CommitProvenance()
    provenance.planFingerprint = table.planFingerprint
    provenance.watermarkMilliseconds = work.watermarkMilliseconds
    provenance.offsets = [.init(topic: table.topic, partition: table.partition, offset: work.to)]
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
