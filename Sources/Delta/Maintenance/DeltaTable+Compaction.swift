internal import Columns
package import Core
package import Parquet
internal import Storage

/// How compaction ended.
package enum CompactionOutcome: Sendable, Equatable {
  case nothingToDo
  case compacted(version: Int64, removedFiles: Int, addedFiles: Int)
  /// Other writers removed one of the files, or changed the table, each time that it was tried: nothing was done.
  case conflict(CommitConflict)
}

extension DeltaTable {
  /// Rewrites small files into larger ones, in one commit that changes no row.
  ///
  /// Appenders never conflict with it: it removes files that it has read, and new ones do not matter to it. When
  /// somebody else removed one of them, or changed the table, it plans anew from the table as it is then.
  package mutating func compact(
    _ policy: CompactionPolicy = CompactionPolicy(),
    parquet: ParquetWriterConfiguration = ParquetWriterConfiguration(), nowMilliseconds: Int64
  ) throws(HeadraceError) -> CompactionOutcome {
    var outcome = CompactionOutcome.nothingToDo
    for attempt in 0..<Self.compactionAttempts {
      if attempt > 0 { try refresh() }
      outcome = try compactOnce(policy, parquet, nowMilliseconds: nowMilliseconds)
      guard case .conflict = outcome else { break }
    }
    return outcome
  }

  private static let compactionAttempts = 4

  private mutating func compactOnce(
    _ policy: CompactionPolicy, _ parquet: ParquetWriterConfiguration, nowMilliseconds: Int64
  ) throws(HeadraceError) -> CompactionOutcome {
    try snapshot.tableProtocol.requireWritable(place)
    let bins = CompactionPlan.bins(snapshot, policy)
    guard !bins.isEmpty else { return .nothingToDo }
    var transaction = TableTransaction(CommitDescription(operation: "OPTIMIZE"))
    transaction.description.parameters = [("targetSize", String(policy.targetBytes))]
    for bin in bins {
      var file = try rewrite(bin, parquet, nowMilliseconds: nowMilliseconds)
      file.isDataChange = false
      // As old as its rows: the next compaction puts it in front of files that came while it was made.
      file.modifiedMilliseconds = bin.map(\.modifiedMilliseconds).max() ?? nowMilliseconds
      transaction.added.append(file)
      transaction.removed += bin.map { $0.removed(atMilliseconds: nowMilliseconds, isDataChange: false) }
    }
    DeltaKillPoint.pass(.compactionBeforeCommit)
    switch try commit(transaction, nowMilliseconds: nowMilliseconds) {
    case .committed(let version):
      return .compacted(
        version: version, removedFiles: transaction.removed.count, addedFiles: transaction.added.count)
    case .conflict(let conflict):
      var names: [BlobName] = []
      for file in transaction.added { names.append(try root.appending(file.path.name.text)) }
      try store.delete(names)
      return .conflict(conflict)
    }
  }

  /// The rows of files of one partition, in their order.
  private func rewrite(
    _ files: [DataFile], _ configuration: ParquetWriterConfiguration, nowMilliseconds: Int64
  ) throws(HeadraceError) -> DataFile {
    let columns = snapshot.metadata.dataFields.map(\.name)
    let scan = try TableScan(self, columns: columns, files: files)
    let writer = try DataFileWriter(
      self, partitionValues: files.first?.partitionValues ?? [:], label: "compacted", configuration: configuration)
    var batch = ColumnBatch(scan.types)
    while try scan.next(into: &batch) { try writer.append(batch) }
    return try writer.finish(nowMilliseconds: nowMilliseconds)
  }
}
