internal import Core
internal import Logging
internal import NIOCore

/// The journal: what must survive a kill is appended first, applied to memory second, and told to anybody third.
extension BrokerCore {
  /// Makes records durable against a kill of the process, as a whole, and applies them.
  func record(_ records: [JournalRecord]) throws(HeadraceError) {
    try journal.append(JournalRecord.encode(records))
    KillPoint.pass(.journalAfterAppend)
    for record in records { apply(record) }
  }

  /// For state machines that apply their own events: only the append.
  /// - Returns: whether the records are in the journal.
  func append(_ records: [JournalRecord]) -> Bool {
    do throws(HeadraceError) {
      try journal.append(JournalRecord.encode(records))
      KillPoint.pass(.journalAfterAppend)
      return true
    } catch {
      report(error, "the journal refuses records")
      return false
    }
  }

  func apply(_ record: JournalRecord) {
    switch record {
    case .topic(let event): apply(event)
    case .group(let event): groups.apply(event)
    case .transaction(let event): transactions.apply(event)
    }
  }

  /// What a new folder, or one that was just read, needs before it can serve: an identity, every log open, no
  /// leftovers.
  func restore() throws(HeadraceError) {
    if clusterID.isEmpty {
      var generator = SystemRandomNumberGenerator()
      try record([.topic(.clusterFounded(id: "\(TopicID.random(using: &generator))"))])
    }
    for topic in topics.values.sorted(by: { $0.name < $1.name }) {
      try openPartitions(of: topic, upTo: topic.journaledPartitionCount)
    }
    let folders = Set(topics.values.map { DataFolder.folderName(name: $0.name, id: $0.id) })
    for orphan in folder.orphans(keeping: folders) {
      logger.info("removing what is left of a deleted topic", metadata: ["path": "\(orphan)"])
      DataFolder.remove(orphan)
    }
  }

  /// Rewrites the journal as the fewest records that bring the present state back, once it has grown enough to be worth
  /// it.
  func snapshotJournalIfDue() {
    guard journal.sizeBytes > journalRewriteSizeBytes, !isJournalBeingFlushed else { return }
    let records =
      topicSnapshotEvents().map(JournalRecord.topic) + groups.snapshotEvents().map(JournalRecord.group)
      + transactions.snapshotEvents().map(JournalRecord.transaction)
    let payloads = records.map { JournalRecord.encode([$0]) }
    let snapshotBytes = payloads.reduce(Int64(0)) { $0 + Int64($1.count) }
    // Also after a failure: the old journal still counts, and the next attempt comes when it has grown again.
    journalRewriteSizeBytes = max(configuration.maintenance.journalSnapshotBytes, 4 * snapshotBytes)
    // What is left after a restart may be all alive; then it is not worth writing it again.
    guard journal.sizeBytes > journalRewriteSizeBytes else { return }
    do throws(HeadraceError) {
      try journal.replace(with: payloads)
    } catch {
      journalRewriteSizeBytes = max(journalRewriteSizeBytes, 2 * journal.sizeBytes)
      report(error, "the journal could not be rewritten")
    }
  }
}
