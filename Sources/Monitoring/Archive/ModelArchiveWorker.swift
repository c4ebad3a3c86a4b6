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
  private let control: ModelArchiveControl
  private let logger: Logger
  private var plan: Plan?
  private var topics: [ArchivedTopic] = []
  /// What the group has given to this process; one topic may give rows to several tables.
  private var partitions: [TopicPartition: [ArchivedPartition]] = [:]

  init(
    _ configuration: ModelArchiveService.Configuration, _ store: any BlobStore, _ schemas: any WriterSchemas,
    _ control: ModelArchiveControl, _ logger: Logger
  ) {
    self.configuration = configuration
    self.store = store
    self.schemas = schemas
    self.control = control
    self.logger = logger
  }

  func run() {
    var failures = 0
    while !control.isStopping {
      do {
        try session()
        failures = 0
      } catch {
        failures += 1
        logger.warning("predictions wait for their tables", metadata: ["error": "\(error)"])
        pause(milliseconds: min(200 << min(failures, 5), 5_000))
      }
      // What no commit has made visible is read again.
      partitions = [:]
    }
    control.noteEnd()
  }

  private func pause(milliseconds: Int64) {
    let end = WallClock.monotonic.nowMilliseconds + milliseconds
    while !control.isStopping, WallClock.monotonic.nowMilliseconds < end { Sleep.milliseconds(10) }
  }

  /// Follows one plan until another one comes or everything ends.
  private func session() throws {
    let (current, number) = control.plan
    guard let current, current.models.contains(where: \.isArchived) else { return pause(milliseconds: 100) }
    plan = current
    topics = ArchivedTopic.all(current, schemas: schemas)
    var group = ConsumerConfiguration(client: configuration.client, groupID: "\(current.name).tables")
    group.outOfRange = .earliest
    group.prefetchKibibytesMaximum = 8_192
    let member = try Consumer(group, listener: self)
    defer { _ = try? member.close() }
    try member.subscribe(Set(topics.map(\.topic)).sorted())
    while !control.isStopping, control.plan.number == number {
      try member.poll(timeoutMilliseconds: Self.pollMilliseconds) { records in
        for archived in partitions[records.partition] ?? [] { try archived.take(records) }
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
    var starts: [TopicPartition: Int64] = [:]
    for partition in assigned.map(\.partition) {
      var tables: [ArchivedPartition] = []
      for topic in topics where topic.topic == partition.topic {
        tables.append(try ArchivedPartition(topic, partition, of: plan, in: store))
      }
      partitions[partition] = tables
      // Where one of them has nothing yet, everything is read.
      let first = tables.map(\.position).min() ?? .min
      if first > .min { starts[partition] = first }
    }
    return starts
  }

  func revoked(_ revoked: [TopicPartition], from consumer: Consumer) throws {
    defer { for partition in revoked { partitions[partition] = nil } }
    for partition in revoked {
      for archived in partitions[partition] ?? [] { try archived.commit(freshnessMilliseconds: 0, bytesMaximum: 0) }
    }
  }

  func lost(_ lost: [TopicPartition], from consumer: Consumer) throws {
    for partition in lost { partitions[partition] = nil }
  }
}
