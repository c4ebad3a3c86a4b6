internal import Columns
internal import Contracts
internal import Core
internal import OfflineStore
internal import OnlineStore
internal import Topology

/// Archived events of one partition, one by one.
final class ArchiveHistory {
  private let source: SourcePlan
  private let reader: ArchiveReader
  private let document: EventDocument
  private var batch: ColumnBatch
  private var row = 0

  init(_ source: SourcePlan, _ reader: ArchiveReader) {
    self.source = source
    self.reader = reader
    document = EventDocument(source.contract)
    batch = ColumnBatch(reader.types)
  }

  private func decision(_ index: Int) -> Int { source.contract.fields.count + index }

  /// When the next event came, or happened if that is not known; nil at the end.
  func nextTime() throws(HeadraceError) -> Int64? {
    guard try load() else { return nil }
    return known ?? batch.columns[decision(0)].integers[row] / 1_000
  }

  /// Whether `nextTime` has seen an event.
  var hasRow: Bool { row < batch.rowCount }

  /// Of the event that `nextTime` has seen.
  func time(_ clock: ReplayCommand.Clock) -> Int64? {
    guard hasRow else { return nil }
    return clock == .event ? batch.columns[decision(0)].integers[row] / 1_000 : known
  }

  private func load() throws(HeadraceError) -> Bool {
    if row < batch.rowCount { return true }
    row = 0
    guard try reader.next(into: &batch) else {
      batch.removeAll()
      return false
    }
    return true
  }

  private var known: Int64? {
    let column = decision(1)
    return batch.columns[column].isValid[row] ? batch.columns[column].integers[row] / 1_000 : nil
  }

  /// The event that `nextTime` has seen.
  func take(withValue: Bool) -> PastEvent? {
    guard row < batch.rowCount else { return nil }
    defer { row += 1 }
    let outcomes = decision(EventArchive.outcomeDecision)
    let text = batch.columns[outcomes].text
    var event = PastEvent(
      offset: batch.columns[decision(EventArchive.offsetDecision)].integers[row], knownMilliseconds: known,
      eventMilliseconds: batch.columns[decision(0)].integers[row] / 1_000,
      outcome: PastOutcome(archived: text.bytes[text.range(row)]) ?? .applied, key: nil, value: [])
    if withValue {
      if let key = source.key { event.key = EntityKey.encode([batch.columns[source.columns[key]].value(row)])?.bytes }
      document.write(batch, row: row, to: &event.value)
    }
    return event
  }
}

extension Contract {
  /// As an archive has them.
  var archiveFields: [OfflineTable.Field] { fields.map { OfflineTable.Field($0.path, $0.type) } }

  /// What fields say of events that were archived before they were in the contract.
  var archiveDefaults: [Value] { fields.map { $0.defaultValue ?? .null } }
}
