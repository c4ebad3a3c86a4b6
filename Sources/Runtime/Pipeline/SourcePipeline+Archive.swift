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
    let topic = Array(partition.topic.utf8)
    try archive.spool.append(archive.table) { target in
      let fieldCount = source.contract.fields.count
      // Nearly always all rows of the batch: whole runs are copied at once.
      Self.forEachRun(of: rows[...]) { run in
        for column in 0..<fieldCount { target.columns[column].append(run, of: batch.columns[column]) }
      }
      for row in rows {
        let record = records[first + row]
        let decision = EventArchive.Decision(
          eventTimeMilliseconds: decisions.headers.eventTimesMilliseconds[row],
          knownMilliseconds: Self.knownMilliseconds(record), watermarkMilliseconds: decisions.watermark(before: row),
          offset: record.offset)
        let outcome = Self.outcomeNames[Int(decisions.outcomes[row].rawValue)]
        unsafe EventArchive.append(
          decision, outcome: outcome.span.bytes, topic: topic.span.bytes, partition: partition.partition, to: &target,
          from: fieldCount)
      }
      target.rowCount += rows.count
    }
  }

  /// Ranges of rows that follow each other.
  static func forEachRun(of rows: ArraySlice<Int>, _ body: (Range<Int>) -> Void) {
    var start = rows.startIndex
    while start < rows.endIndex {
      var end = start + 1
      while end < rows.endIndex, rows[end] == rows[end - 1] + 1 { end += 1 }
      body(rows[start]..<rows[end - 1] + 1)
      start = end
    }
  }

  /// By the outcome's number.
  private static let outcomeNames = Outcome.allCases.map { Array($0.archiveName.utf8) }
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
