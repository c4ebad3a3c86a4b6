internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Storage
internal import Topology

/// The thread that reads predictions and labels into their tables.
final class ModelArchiveWorker: RebalanceListener {
  private let configuration: ModelArchiveService.Configuration
  private let store: any BlobStore
  private let schemas: any WriterSchemas
  private let logger: Logger
  private var plan: Plan?
  private var topics: [ArchivedTopic] = []
  /// What the group has given to this process; one topic may give rows to several tables.
  private var partitions: [TopicPartition: [ArchivedPartition]] = [:]
  /// Tables of which was said that they take nothing, and logs of which was said that they begin again.
  private var saidTables: Set<String> = []
  private var saidLogs: Set<TopicPartition> = []

  init(
    _ configuration: ModelArchiveService.Configuration, _ store: any BlobStore, _ schemas: any WriterSchemas,
    _ logger: Logger
  ) {
    self.configuration = configuration
    self.store = store
    self.schemas = schemas
    self.logger = logger
  }

  /// Follows one plan.
  ///
  /// - Parameter goesOn: whether it is still to be followed.
  func session(_ plan: Plan, while goesOn: () -> Bool) throws {
    // What no commit has made visible is read again.
    partitions = [:]
    self.plan = plan
    topics = ArchivedTopic.all(plan, schemas: schemas)
    var group = ConsumerConfiguration(client: configuration.client, groupID: "\(plan.name).tables")
    group.outOfRange = .earliest
    group.prefetchKibibytesMaximum = 8_192
    let member = try Consumer(group, listener: self)
    defer { _ = try? member.close() }
    try member.subscribe(Set(topics.map(\.topic)).sorted())
    while goesOn() {
      try member.poll(timeoutMilliseconds: Self.pollMilliseconds) { records in
        let (partition, next) = (records.partition, records.nextOffset)
        let tables = partitions[partition] ?? []
        // Reading begins where the first of them ends: what none of them wants is of a log that begins again.
        if let first = tables.map(\.position).min(), next <= first {
          tell(.logBeginsAgain(end: next), partition, tables[0], at: first)
        }
        for archived in tables { try archived.take(records) }
      }
      try commit(freshnessMilliseconds: configuration.freshnessMilliseconds)
    }
    try commit(freshnessMilliseconds: 0)
  }

  private static let pollMilliseconds: Int32 = 100

  private func commit(freshnessMilliseconds: Int64) throws(HeadraceError) {
    for partition in partitions.keys.sorted() {
      for archived in partitions[partition] ?? [] {
        try archived.commit(
          freshnessMilliseconds: freshnessMilliseconds, bytesMaximum: configuration.fileBytesMaximum)
      }
    }
  }

  /// The tables say where to begin, not the group.
  func assigned(_ assigned: [AssignedPartition], to consumer: Consumer) throws -> [TopicPartition: Int64] {
    guard let plan else { return [:] }
    let logs = try consumer.watermarks(assigned.map(\.partition))
    var starts: [TopicPartition: Int64] = [:]
    for partition in assigned.map(\.partition) {
      var tables: [ArchivedPartition] = []
      for topic in topics where topic.topic == partition.topic {
        guard let archived = try open(topic, partition, of: plan) else { continue }
        tables.append(archived)
        let position = archived.position
        if let log = logs[partition],
          let gap = ArchiveGap(position: position == .min ? nil : position, beginning: log.beginning, end: log.end)
        {
          tell(gap, partition, archived, at: position)
        }
      }
      partitions[partition] = tables
      // Where one of them has nothing yet, everything is read; where nobody takes rows, nothing.
      let first = tables.map(\.position).min() ?? logs[partition]?.end ?? .min
      if first > .min { starts[partition] = first }
    }
    return starts
  }

  /// - Returns: nil when the table takes nothing until somebody has mended it: the others go on without it.
  private func open(
    _ topic: ArchivedTopic, _ partition: TopicPartition, of plan: Plan
  ) throws(HeadraceError) -> ArchivedPartition? {
    do throws(HeadraceError) {
      return try ArchivedPartition(topic, partition, of: plan, in: store)
    } catch {
      guard Self.isOfTable(error) else { throw error }
      if saidTables.insert(topic.table).inserted {
        logger.error(
          "a table takes no rows: they wait in their topic until the table is mended and the worker started again",
          metadata: ["table": "\(topic.table)", "error": "\(error)"])
      }
      return nil
    }
  }

  /// Whether something is wrong with one table as it lies there, and stays so whoever asks again: its columns, or its
  /// log. A store that does not answer is everybody's trouble, and passes.
  static func isOfTable(_ error: HeadraceError) -> Bool {
    error.retry == .never && (error.domain == .user || error.code.hasPrefix("DELTA_"))
  }

  private static let newTopicRemedy =
    "the topic was made anew: move the table's folder away, so that it is begun again, and start the worker again"

  private func tell(_ gap: ArchiveGap, _ partition: TopicPartition, _ archived: ArchivedPartition, at position: Int64) {
    switch gap {
    case .logBeginsAgain(let end):
      guard saidLogs.insert(partition).inserted else { return }
      logger.error(
        "a topic begins again before what its table has: its records go into no table",
        metadata: [
          "partition": "\(partition)", "table": "\(archived.tableName)", "position": "\(position)",
          "log_end": "\(end)", "remedy": "\(Self.newTopicRemedy)",
        ])
    case .lost(let range):
      logger.warning(
        "retention has taken records before they came to their table",
        metadata: [
          "partition": "\(partition)", "table": "\(archived.tableName)", "from": "\(range.lowerBound)",
          "to": "\(range.upperBound)",
        ])
    }
  }

  /// What one of them cannot commit keeps the others from nothing: it is read again.
  func revoked(_ revoked: [TopicPartition], from consumer: Consumer) throws {
    defer { for partition in revoked { partitions[partition] = nil } }
    var failure: HeadraceError?
    for partition in revoked {
      for archived in partitions[partition] ?? [] {
        do throws(HeadraceError) {
          try archived.commit(freshnessMilliseconds: 0, bytesMaximum: 0)
        } catch {
          failure = failure ?? error
        }
      }
    }
    if let failure { throw failure }
  }

  func lost(_ lost: [TopicPartition], from consumer: Consumer) throws {
    for partition in lost { partitions[partition] = nil }
  }
}
