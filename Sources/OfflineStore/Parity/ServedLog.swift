package import Core
internal import Delta
package import Storage

/// Appends served vectors to their tables, and keeps the tables bounded. One thread.
///
/// A vector that is lost with its process is lost: these are samples. One whose commit was not heard of may come twice,
/// under the same id.
package final class ServedLog {
  package struct Configuration: Sendable {
    /// Older values go.
    package var retentionMilliseconds: Int64 = 7 * 86_400_000
    /// Of one table: when it is larger, the oldest files go.
    package var sizeBytesMax: Int64 = 256 << 20

    package init() {}
  }

  private let store: any BlobStore
  private let configuration: Configuration
  private var tables: [String: DeltaTable] = [:]

  private static let attempts = 5
  private static let checkpointInterval: Int64 = 10
  private static let upkeepInterval: Int64 = 30

  package init(_ store: any BlobStore, _ configuration: Configuration = Configuration()) {
    self.store = store
    self.configuration = configuration
  }

  package func append(_ vectors: [ServedVector], nowMilliseconds: Int64) throws(HeadraceError) {
    for (subject, vectors) in Dictionary(grouping: vectors, by: ServedTable.subject).sorted(by: { $0.key < $1.key }) {
      do throws(HeadraceError) {
        try append(vectors, subject, nowMilliseconds)
      } catch {
        tables[subject] = nil
        throw error
      }
    }
  }

  private func append(_ vectors: [ServedVector], _ subject: String, _ now: Int64) throws(HeadraceError) {
    for _ in 0..<Self.attempts {
      var table = try table(subject, now)
      let writer = try TableWriter(table)
      do throws(HeadraceError) {
        try writer.append(ServedTable.batch(vectors), nowMilliseconds: now)
      } catch {
        writer.abandon()
        throw error
      }
      let files = try writer.finish(nowMilliseconds: now)
      guard case .committed = try table.commit(.append(files), nowMilliseconds: now) else {
        tables[subject] = nil
        continue
      }
      tables[subject] = table
      return try maintain(subject, now)
    }
    throw HeadraceError(
      .external, "TABLE_CONTENDED", "other writers changed the table \(Self.attempts) times", retry: .sameCall,
      place: ServedTable.name(subject))
  }

  private func table(_ subject: String, _ now: Int64) throws(HeadraceError) -> DeltaTable {
    if let known = tables[subject] { return known }
    return try DeltaTable.openOrCreate(
      store, try BlobName(ServedTable.name(subject)), schema: try ServedTable.schema(), name: subject,
      nowMilliseconds: now)
  }

  /// Small files become large ones, old ones go. What another worker does at the same time is as good.
  private func maintain(_ subject: String, _ now: Int64) throws(HeadraceError) {
    guard var table = tables[subject], table.snapshot.version % Self.checkpointInterval == 0 else { return }
    if table.snapshot.version % Self.upkeepInterval == 0 {
      var policy = CompactionPolicy()
      // So that old values can go without new ones.
      policy.targetBytes = configuration.sizeBytesMax / 16
      _ = try table.compact(policy, nowMilliseconds: now)
      try dropOld(&table, now)
      _ = try table.vacuum(nowMilliseconds: now)
      tables[subject] = table
    }
    try table.checkpoint(nowMilliseconds: now)
  }

  private func dropOld(_ table: inout DeltaTable, _ now: Int64) throws(HeadraceError) {
    let files = table.snapshot.files.sorted { $0.modifiedMilliseconds > $1.modifiedMilliseconds }
    var sizeBytes: Int64 = 0
    var transaction = TableTransaction(CommitDescription(operation: "DELETE"))
    for file in files {
      sizeBytes &+= file.sizeBytes
      let isOld = now &- file.modifiedMilliseconds > configuration.retentionMilliseconds
      guard isOld || sizeBytes > configuration.sizeBytesMax else { continue }
      transaction.removed.append(file.removed(atMilliseconds: now, isDataChange: true))
    }
    guard !transaction.removed.isEmpty else { return }
    _ = try table.commit(transaction, nowMilliseconds: now)
  }
}
