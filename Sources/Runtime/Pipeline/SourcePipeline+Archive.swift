internal import Columns
internal import Contracts
internal import Core
internal import Kafka
internal import OfflineStore
internal import OnlineStore
internal import Topology

extension SourcePipeline {
  /// The archive of a source: the columns of its table in a spool.
  struct ArchiveTarget {
    let spool: Spool
    let table: Int
    /// Rows of the batch that go on, kept from batch to batch.
    var rows: [Int] = []
  }

  /// Every valid record but duplicates goes to the archive, with what was decided of it: those that were filtered and
  /// those that came too late as well. Below what the table has already nothing is written.
  func archive(_ records: borrowing ConsumedBatch, first: Int, count: Int) throws(HeadraceError) {
    guard var archive = archive.take() else { return }
    defer { self.archive = archive }
    let wanted = archive.spool.wantedFrom(archive.table)
    archive.rows.removeAll(keepingCapacity: true)
    for row in 0..<count where decisions.outcomes[row].isArchived && records[first + row].offset >= wanted {
      archive.rows.append(row)
    }
    guard !archive.rows.isEmpty else { return }
    let rows = archive.rows
    try archive.spool.append(archive.table) { target in
      let fieldCount = source.contract.fields.count
      for column in 0..<fieldCount {
        for row in rows { target.columns[column].append(row, of: batch.columns[column]) }
      }
      for row in rows {
        let record = records[first + row]
        let known = record.timestampMilliseconds
        let decision = EventArchive.Decision(
          eventTimeMilliseconds: decisions.headers.eventTimesMilliseconds[row],
          knownMilliseconds: known > 0 ? known : nil, watermarkMilliseconds: decisions.watermark(before: row),
          outcome: decisions.outcomes[row].archiveName, topic: partition.topic, partition: partition.partition,
          offset: record.offset)
        decision.append(to: &target, from: fieldCount)
      }
      target.rowCount += rows.count
    }
  }
}

extension Outcome {
  var isArchived: Bool { self != .deadLettered && self != .deduplicated }

  /// What the archive's column `_outcome` says.
  var archiveName: String {
    switch self {
    case .applied: "applied"
    case .repaired: "repaired"
    case .filtered: "filtered"
    case .deduplicated: "deduplicated"
    case .late: "late"
    case .deadLettered: "dead_lettered"
    }
  }
}
