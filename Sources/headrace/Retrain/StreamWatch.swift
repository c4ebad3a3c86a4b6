internal import Core
internal import Delta
internal import Kafka
internal import Runtime
internal import Storage
internal import Topology
internal import Training

/// What triggers count beside what monitors tell: how far the stream is, records, versions of tables, refusals.
struct StreamWatch {
  private let plan: Plan
  private let tables: any BlobStore
  private var nextLookAtMilliseconds: Int64 = 0
  private var rows: [String: Int64] = [:]
  private var tableVersions: [String: Int64] = [:]
  private var refused: [String: RefusedShare] = [:]

  private static let lookMilliseconds: Int64 = 2_000

  /// The share of refused records since the last look that had enough of them.
  private struct RefusedShare {
    var read: Int64
    var refused: Int64
    var share: Double?
  }

  /// Fewer records say nothing of a share.
  private static let shareRecordsMinimum: Int64 = 1_000

  init(_ plan: Plan, _ tables: any BlobStore) {
    self.plan = plan
    self.tables = tables
  }

  mutating func facts(_ status: EngineStatus, _ reader: Consumer) throws -> PolicyWatch.StreamFacts {
    var facts = PolicyWatch.StreamFacts(nowMilliseconds: WallClock.system.nowMilliseconds)
    let topics = Set(plan.policies.map { plan.sources[plan.models[$0.model].source].topic })
    facts.streamMilliseconds =
      status.tasks.flatMap(\.inputs).filter { topics.contains($0.topic) }.compactMap(\.watermarkMilliseconds).min()
    let now = WallClock.monotonic.nowMilliseconds
    if now >= nextLookAtMilliseconds {
      nextLookAtMilliseconds = now + Self.lookMilliseconds
      try look(reader)
    }
    for source in status.sources { note(source) }
    facts.rows = rows
    facts.tableVersions = tableVersions
    facts.refusedShares = refused.compactMapValues(\.share)
    return facts
  }

  private mutating func look(_ reader: Consumer) throws {
    for trigger in Set(plan.policies.flatMap(\.triggers)) {
      switch trigger {
      case .rows(let index, _):
        let source = plan.sources[index]
        let partitions = (0..<(try reader.partitionCount(of: source.topic))).map {
          TopicPartition(topic: source.topic, partition: $0)
        }
        rows[source.name] = try reader.watermarks(partitions).values.reduce(0) { $0 + $1.end }
      case .newVersion(let table):
        if let found = try DeltaTable.open(tables, try BlobName(table)) {
          tableVersions[table] = found.snapshot.version
        }
      case .drift, .performance, .every, .contractBreach, .byHand: break
      }
    }
  }

  private mutating func note(_ source: SourceStatus) {
    guard var known = refused[source.name] else {
      refused[source.name] = RefusedShare(read: source.counts.read, refused: source.counts.deadLettered)
      return
    }
    let read = source.counts.read - known.read
    guard read >= Self.shareRecordsMinimum else {
      // Partitions that went away took their counts along.
      if read < 0 { refused[source.name] = nil }
      return
    }
    known.share = Double(source.counts.deadLettered - known.refused) / Double(read)
    known.read = source.counts.read
    known.refused = source.counts.deadLettered
    refused[source.name] = known
  }
}
