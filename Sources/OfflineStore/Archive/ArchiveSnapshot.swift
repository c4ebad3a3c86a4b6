internal import Columns
package import Core
internal import Delta
package import Storage

/// The archive of one source as its table is at one moment: how far back and how far on it reaches, and its events in
/// the order of their offsets.
package struct ArchiveSnapshot: Sendable {
  let table: DeltaTable
  let pieces: [ArchivePiece]

  /// - Returns: nil when there is no such table.
  package static func open(_ store: any BlobStore, source: String) throws(HeadraceError) -> ArchiveSnapshot? {
    guard let table = try DeltaTable.open(store, try BlobName(EventArchive.name(source: source))) else { return nil }
    return ArchiveSnapshot(table: table, pieces: table.snapshot.files.map { ArchivePiece($0) })
  }

  package var version: Int64 { table.snapshot.version }

  /// What the archive has of one partition of a topic.
  package struct Reach: Sendable, Equatable {
    /// Records before it are not archived.
    package var firstOffset: Int64
    /// D: every record below it that belongs into the archive is there.
    package var nextOffset: Int64
    /// Epoch milliseconds, of all partitions that share a file: bounds, not always reached.
    package var eventTimesMilliseconds: ClosedRange<Int64>
    package var knownMilliseconds: ClosedRange<Int64>
  }

  /// - Parameter topology: whose rows they are.
  /// - Returns: nil when there is nothing, or nobody says how far it goes.
  package func reach(topology: String, topic: String, partition: Int32) throws(HeadraceError) -> Reach? {
    let application = OfflineTable.applicationID(topology: topology, topic: topic, partition: partition)
    guard let next = table.snapshot.transactionVersion(application) else { return nil }
    let candidates = pieces.filter { $0.mayHold(partition) }.sorted { $0.offsets.lowerBound < $1.offsets.lowerBound }
    // Tables of older programs do not say where they begin.
    var first = table.snapshot.transactionVersion(OfflineTable.beginningID(of: application))
    if first == nil {
      for piece in candidates where piece.offsets.lowerBound < first ?? .max {
        first = try lowestOffset(in: piece, topic, partition, below: first ?? .max) ?? first
      }
    }
    guard let first, first < next else { return nil }
    func span(_ clock: ArchiveClock) -> ClosedRange<Int64> {
      let low = candidates.map { $0.times(clock).lowerBound }.min() ?? 0
      let high = candidates.map { $0.times(clock).upperBound }.max() ?? 0
      return low / 1_000...max(high / 1_000, low / 1_000)
    }
    return Reach(
      firstOffset: first, nextOffset: next, eventTimesMilliseconds: span(.event), knownMilliseconds: span(.known))
  }

  /// Of the rows of one partition in a file; nil when none is lower than `limit`.
  private func lowestOffset(
    in piece: ArchivePiece, _ topic: String, _ partition: Int32, below limit: Int64
  ) throws(HeadraceError) -> Int64? {
    var batch = ColumnBatch([])
    let scan = try TableScan(table, columns: ["_topic", "_partition", "_offset"], files: [piece.file])
    var lowest = limit
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount where batch.columns[1].integers[row] == Int64(partition) {
        guard batch.columns[0].text.bytes[batch.columns[0].text.range(row)].elementsEqual(topic.utf8) else { continue }
        lowest = min(lowest, batch.columns[2].integers[row])
      }
    }
    return lowest < limit ? lowest : nil
  }

  /// Partitions of a topic that a topology has archived, with D of each.
  package func progress(topology: String, topic: String) -> [Int32: Int64] {
    let prefix = OfflineTable.applicationID(topology: topology, topic: topic, partition: nil)
    var progress: [Int32: Int64] = [:]
    for transaction in table.snapshot.transactions where transaction.applicationID.hasPrefix(prefix) {
      guard let partition = Int32(transaction.applicationID.dropFirst(prefix.count)) else { continue }
      progress[partition] = transaction.version
    }
    return progress
  }

  package func reader(_ request: ArchiveReader.Request) throws(HeadraceError) -> ArchiveReader {
    try ArchiveReader(self, request)
  }
}
