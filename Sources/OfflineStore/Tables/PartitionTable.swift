package import Columns
package import Core
internal import Delta
package import Storage

/// A table that rows of one partition are written to, each once: a commit moves the writer's own `txn` from where its
/// rows begin to where they end, and takes place only if it is still there.
///
/// Nothing waits on a disk: dies the process before a commit, its files are orphans, and the rows are made again from
/// the log or the archive; behind it, `position` says that they are there.
package final class PartitionTable {
  package let name: String
  private let store: any BlobStore
  private let applicationID: String
  private let origin: Origin
  private var table: DeltaTable
  private var writer: TableWriter?
  /// Offsets below it are in the table; nil: none.
  package private(set) var position: Int64?
  package private(set) var rowCount: Int64 = 0
  /// What an append or a commit failed of. Rows that were given before it may be in no file, so that a commit behind it
  /// would say of them that they are there: whoever goes on opens the table anew, and begins where it is.
  private var failure: HeadraceError?

  private static let attempts = 5

  /// What commits say that their rows were made of.
  package struct Origin: Sendable {
    var topic: String
    var partition: Int32
    var planFingerprint: String

    package init(topic: String, partition: Int32, planFingerprint: String) {
      self.topic = topic
      self.partition = partition
      self.planFingerprint = planFingerprint
    }
  }

  /// Opens the table, or makes it.
  ///
  /// - Parameters:
  ///   - name: below the tables' root: `features/payments`.
  ///   - application: whose progress is kept beside the rows.
  /// - Throws: TABLE_COLUMNS when a table of this name has other columns.
  package init(
    _ store: any BlobStore, name: String, fields: [OfflineTable.Field], application: String, origin: Origin,
    nowMilliseconds: Int64
  ) throws(HeadraceError) {
    self.store = store
    self.name = name
    self.origin = origin
    applicationID = "headrace/\(application)"
    let schema = try DeltaSchema(
      fields.map { DeltaField($0.name, DeltaType($0.type), isNullable: $0.isNullable) })
    table = try DeltaTable.openOrCreate(
      store, try BlobName(name), schema: schema, name: name, nowMilliseconds: nowMilliseconds)
    let found = table.snapshot.metadata.schema.fields
    guard found.map(\.name) == schema.fields.map(\.name), found.map(\.type) == schema.fields.map(\.type) else {
      throw HeadraceError(
        .user, "TABLE_COLUMNS", "the table has other columns: \(found.map(\.name).joined(separator: ", "))",
        place: table.place, remedy: "write into another table")
    }
    position = table.snapshot.transactionVersion(applicationID)
  }

  /// Adds rows that lie at or behind `position`.
  ///
  /// - Throws: the same each time, and at every commit, once it or a commit has failed.
  package func append(_ batch: borrowing ColumnBatch, nowMilliseconds: Int64) throws(HeadraceError) {
    if let failure { throw failure }
    do throws(HeadraceError) {
      if writer == nil { writer = try TableWriter(table) }
      try writer?.append(batch, nowMilliseconds: nowMilliseconds)
    } catch {
      throw giveUp(error)
    }
    rowCount += Int64(batch.rowCount)
  }

  /// Makes the rows visible.
  ///
  /// - Parameters:
  ///   - offset: behind the last event that was read for them.
  ///   - watermark: of the partition there; `Int64.min` where nothing valid came yet.
  /// - Throws: REPLAY_RACED when somebody else has moved the same progress; what an append or a commit has failed of.
  package func commit(upTo offset: Int64, watermark: Int64, nowMilliseconds: Int64) throws(HeadraceError) {
    if let failure { throw failure }
    guard writer != nil || offset > position ?? .min else { return }
    do throws(HeadraceError) {
      try publish(upTo: offset, watermark: watermark, nowMilliseconds: nowMilliseconds)
    } catch {
      throw giveUp(error)
    }
  }

  /// Nothing is committed any more.
  private func giveUp(_ error: HeadraceError) -> HeadraceError {
    failure = error
    writer?.abandon()
    writer = nil
    return error
  }

  private func publish(upTo offset: Int64, watermark: Int64, nowMilliseconds: Int64) throws(HeadraceError) {
    var files: [DataFile] = []
    if let writer { files = try writer.finish(nowMilliseconds: nowMilliseconds) }
    writer = nil
    let move = TransactionMove(applicationID: applicationID, from: position, to: offset)
    var provenance = CommitProvenance()
    provenance.offsets = [.init(topic: origin.topic, partition: origin.partition, offset: offset)]
    provenance.watermarkMilliseconds = watermark == .min ? nil : watermark
    provenance.planFingerprint = origin.planFingerprint
    for _ in 0..<Self.attempts {
      let transaction = TableTransaction.append(files, moves: [move], provenance: provenance)
      let outcome = try table.commit(transaction, nowMilliseconds: nowMilliseconds)
      if case .committed = outcome {
        position = offset
        return try TableUpkeep.run(&table, in: store, nowMilliseconds: nowMilliseconds)
      }
      try table.refresh()
      guard table.snapshot.transactionVersion(applicationID) == position else { break }
    }
    throw HeadraceError(
      .external, "REPLAY_RACED", "another process writes the same rows", retry: .sameCall, place: table.place,
      remedy: "let one of them end, and run the command again: it goes on behind what is there")
  }
}
