internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Topology

/// The readers and states of all monitors of a plan, while this process is the one that runs them.
final class MonitorSession {
  private let plan: Plan
  private let configuration: MonitoringConfiguration
  private let statePath: String
  private let logger: Logger
  private let watched: [WatchedModel]
  private let reader: Consumer
  private let topic: ResultTopic
  private var table: ResultTable?
  private var deadLetters: DeadLetterGate
  private let partitions: [TopicPartition]
  /// Since when a partition has nothing more.
  private var endReachedAt: [TopicPartition: Int64] = [:]
  /// What a former life of the process left open was said.
  private var hasNotedAlarms = false
  private var savedAtMilliseconds = WallClock.monotonic.nowMilliseconds

  /// Where people tell monitors what they know.
  private static let controlTopic = "headrace.control"
  /// Events of one partition that may wait for their predictions.
  private static let waitingEventsMaximum = 1 << 18

  init(
    _ plan: Plan, _ configuration: MonitoringConfiguration, _ schemas: any WriterSchemas, _ member: Consumer,
    _ statePath: String, _ logger: Logger
  ) throws {
    self.plan = plan
    self.configuration = configuration
    self.statePath = statePath
    self.logger = logger
    try ResultTopic.make(configuration.client, replicationFactor: configuration.replicationFactor)
    topic = try ResultTopic(configuration.client, topology: plan.name)
    table = configuration.tableStore.map { ResultTable($0) }
    var watched: [WatchedModel] = []
    for index in plan.runningMonitors {
      watched.append(try WatchedModel(plan, monitor: index, schemas: schemas, tables: configuration.tableStore))
    }
    self.watched = watched
    var readerConfiguration = ConsumerConfiguration(client: configuration.client, groupID: nil)
    readerConfiguration.reportsPartitionEnds = true
    readerConfiguration.outOfRange = .earliest
    reader = try Consumer(readerConfiguration)
    var partitions: [TopicPartition] = []
    let topics = try Admin(configuration.client).describeCluster().topics
    let missing = Set([plan.deadLetterTopic]).subtracting(topics.filter { $0.error == nil }.map(\.name))
    for name in Set(watched.flatMap(\.topics.values)).subtracting(missing).sorted() {
      for number in 0..<(try reader.partitionCount(of: name)) {
        partitions.append(TopicPartition(topic: name, partition: number))
      }
    }
    if topics.contains(where: { $0.name == Self.controlTopic && $0.error == nil }) {
      partitions.append(TopicPartition(topic: Self.controlTopic, partition: 0))
    }
    self.partitions = partitions
    deadLetters = DeadLetterGate(partitions.filter { $0.topic == plan.deadLetterTopic })
    try restore(member)
  }

  private func restore(_ member: Consumer) throws {
    var checkpoint = MonitorCheckpoint.load(statePath) ?? MonitorCheckpoint()
    var states: [MonitorState] = []
    for model in watched {
      guard let bytes = checkpoint.states[model.definition.name],
        let state = try? MonitorState(model.definition, reference: model.reference, decoding: bytes)
      else { break }
      states.append(state)
    }
    if states.count == watched.count {
      for (model, state) in zip(watched, states) { model.state = state }
    } else {
      // One of them has to read everything, so all of them do: what was told is not told again.
      checkpoint.offsets = [:]
    }
    for model in watched {
      model.state.expect(
        partitions: numbers(model.topics[.predictions]), labelPartitions: numbers(model.topics[.labels]))
    }
    let told = try member.committed(partitions).values.compactMap(\.metadata).first { !$0.isEmpty } ?? ""
    for part in told.split(separator: ";") {
      guard let bar = part.firstIndex(of: "|") else { continue }
      for model in watched where model.definition.name == part[..<bar] {
        model.marks = ResultMarks(text: String(part[part.index(after: bar)...]))
      }
    }
    var starts: [TopicPartition: StartOffset] = [:]
    for partition in partitions { starts[partition] = checkpoint.offsets[partition].map { .offset($0) } ?? .beginning }
    try reader.assign(starts)
  }

  private func numbers(_ topic: String?) -> [Int32] { partitions.filter { $0.topic == topic }.map(\.partition) }

  /// Reads some, tells what follows from it, and saves now and then.
  ///
  /// - Returns: whether there was anything.
  func step(_ member: Consumer, _ board: MonitorBoard) throws -> Bool {
    let result = try reader.poll(timeoutMilliseconds: 100) { records in
      endReachedAt[records.partition] = nil
      if records.partition.topic == Self.controlTopic { return follow(records) }
      for model in watched where !model.roles(of: records.partition.topic).isEmpty { try model.take(records) }
    }
    let now = WallClock.monotonic.nowMilliseconds
    for partition in result.endsReached where endReachedAt[partition] == nil { endReachedAt[partition] = now }
    for (partition, since) in endReachedAt where now - since >= configuration.idleAfterMilliseconds {
      for model in watched { model.noteIdle(partition) }
    }
    try holdBack()
    var results: [MonitorResult] = []
    for model in watched {
      let waits = model.definition.readsDeadLetters && model.state.hasWindowDue
      if try !waits || deadLetters.isOpen(reader, nowMilliseconds: now) { results += model.state.advance() }
      board.note(monitor: model.definition.name, rows: model.state.countedRows, late: model.state.lateCount)
    }
    if !results.isEmpty || !hasNotedAlarms {
      hasNotedAlarms = true
      for model in watched {
        board.note(
          OpenAlarms(model: model.definition.model, lives: model.state.openAlarms), monitor: model.definition.name)
      }
    }
    if !results.isEmpty {
      board.note(results)
      try tell(results, member)
    }
    if result.records == 0 { board.note(positions: try positions()) }
    if now - savedAtMilliseconds >= configuration.checkpointIntervalMilliseconds { try save(member) }
    return result.records > 0
  }

  private func positions() throws(HeadraceError) -> [TopicPartition: Int64] {
    var positions: [TopicPartition: Int64] = [:]
    for partition in partitions { positions[partition] = try reader.position(of: partition) }
    return positions
  }

  private func follow(_ records: borrowing ConsumedBatch) {
    for index in records.indices {
      guard Self.text(records[index].key) == plan.name,
        Self.text(records[index].headers.last("headrace-kind")) == MonitorCommand.recordKind,
        let value = records[index].value,
        let (monitor, command) = MonitorCommand.parse(unsafe value.withUnsafeBytes { unsafe Array($0) })
      else { continue }
      for model in watched where model.definition.name == monitor { model.state.apply(command) }
    }
  }

  private static func text(_ bytes: RawSpan?) -> String? {
    guard let bytes else { return nil }
    return unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Events that are far ahead of their predictions wait in their topic.
  private func holdBack() throws {
    let paused = Set(reader.paused)
    for model in watched {
      guard let topic = model.topics[.events] else { continue }
      for partition in partitions where partition.topic == topic {
        let waiting = model.state.waitingEvents(partition: partition.partition)
        if waiting > Self.waitingEventsMaximum, !paused.contains(partition) { try reader.pause([partition]) }
        if waiting < Self.waitingEventsMaximum / 2, paused.contains(partition) { try reader.resume([partition]) }
      }
    }
  }

  /// First the topic, then the table: each knows by itself what it has, so that a state in front of a result that is
  /// made again brings what is missing, and nothing twice.
  private func tell(_ results: [MonitorResult], _ member: Consumer) throws {
    var news: [MonitorResult] = []
    for model in watched {
      let own = results.filter { $0.monitor == model.definition.name && !model.marks.contains($0) }
      for result in own { model.marks.note(result) }
      news += own
    }
    for result in news where result.isRinging {
      logger.warning(
        "alarm",
        metadata: ["id": "\(result.id)", "detail": "\(String(decoding: result.json.prefix(600), as: UTF8.self))"])
    }
    if !news.isEmpty { try topic.tell(news, offsets: try progress(), group: try member.groupMetadata()) }
    try table?.append(results, topology: plan.name, nowMilliseconds: WallClock.system.nowMilliseconds)
  }

  private func progress() throws -> [TopicPartition: CommittedOffset] {
    let marks = watched.map { "\($0.definition.name)|\($0.marks.text)" }.joined(separator: ";")
    var offsets: [TopicPartition: CommittedOffset] = [:]
    for partition in partitions {
      offsets[partition] = CommittedOffset(offset: try reader.position(of: partition), metadata: marks)
    }
    return offsets
  }

  func save(_ member: Consumer) throws {
    savedAtMilliseconds = WallClock.monotonic.nowMilliseconds
    var checkpoint = MonitorCheckpoint()
    checkpoint.offsets = try positions()
    for model in watched { checkpoint.states[model.definition.name] = model.state.encoded }
    try checkpoint.save(statePath)
    try topic.tell([], offsets: try progress(), group: try member.groupMetadata())
  }

  func close() {
    topic.close()
    _ = try? reader.close()
  }
}
