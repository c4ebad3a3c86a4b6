internal import Core
internal import Kafka
internal import Storage
internal import Topology

/// Publishes events of the past into a topic, each once.
///
/// A batch is one transaction: its records, and how far each source partition is, as offsets of the group
/// `headrace-replay-NAME` whose metadata says where the partition's range ends. Whoever comes next under the same name
/// (after Ctrl-C, a kill, an unclear commit) fences the one before, waits until its transaction is decided, reads these
/// offsets and goes on there. When the process dies
///
/// - before the transaction begins, or before it ends: nothing of it is visible, the batch is read and sent again;
/// - after the end, before anybody hears of it: offsets say that it took place, nothing is sent again.
final class TopicReplay {
  private let selection: ReplaySelection
  private let store: (any BlobStore)?
  private let client: ClientConfiguration
  private let target: ReplayTarget
  private let pace: Pacer.Pace
  private let stop: StopRequest
  private var report: ReplayReport
  private var progress = ReplayProgress()
  private var pacer: Pacer
  private var retention: RetentionCheck

  private static let batchRecordsMax = 20_000
  private static let batchBytesMax = 4 << 20
  /// A batch is sent after this time, full or not.
  private static let batchMilliseconds: Int64 = 200
  /// Failures in a row before the command gives up.
  private static let attemptsMax = 10
  private static let timeoutMilliseconds: Int32 = 30_000

  init(
    _ selection: ReplaySelection, _ store: (any BlobStore)?, _ client: ClientConfiguration, _ target: ReplayTarget,
    _ pace: Pacer.Pace, _ stop: StopRequest
  ) {
    self.selection = selection
    self.store = store
    self.client = client
    self.target = target
    self.pace = pace
    self.stop = stop
    pacer = Pacer(pace)
    retention = RetentionCheck(topic: target.topic, settings: target.settings, partitionCount: target.partitionCount)
    report = ReplayReport(selection)
    (report.target, report.name) = (target.topic, target.name)
  }

  func run(again: Bool) throws -> (ReplayReport, ExitStatus) {
    if again { try forget() }
    tell(retention.warnings(hasKey: true, hasEventTime: true), as: "warning")
    let started = WallClock.monotonic.nowMilliseconds
    var failures = 0
    while true {
      let before = report.published
      do {
        try attempt(isFirst: failures == 0)
        break
      } catch let error as HeadraceError where error.retry != .never && error.domain != .user {
        guard !error.isFencing else { throw error }
        failures = report.published > before ? 1 : failures + 1
        guard failures < Self.attemptsMax, !stop.isRaised else { throw error }
        tell(["\(error): going on from the last batch that is committed"], as: "note")
        Sleep.milliseconds(min(100 << failures, 5_000))
      }
    }
    progress.clear()
    report.milliseconds = WallClock.monotonic.nowMilliseconds - started
    return (report, report.isDone || report.wasDone ? .success : stop.status ?? .failed)
  }

  private func forget() throws {
    for (_, error) in try Admin(client).deleteGroups([target.group]) where !error.isKafka(.unknownGroup) {
      throw error
    }
  }

  /// One life of a producer.
  private func attempt(isFirst: Bool) throws {
    var settings = ProducerConfiguration(client: client)
    settings.compression = .lz4
    var transaction = TransactionConfiguration(transactionalID: target.group)
    transaction.timeoutMilliseconds = Self.timeoutMilliseconds
    let producer = try TransactionalProducer(settings, transaction)
    defer { producer.close() }
    try producer.initialize(timeoutMilliseconds: 3 * Self.timeoutMilliseconds)
    let member = try Consumer(ConsumerConfiguration(client: client, groupID: target.group))
    defer { _ = try? member.close(timeoutMilliseconds: 1_000) }
    let resumed = try Self.resumed(try Admin(client).committed(group: target.group))
    if !resumed.isEmpty {
      report.isResumed = report.isResumed || isFirst
      // What was begun is done where every partition has reached its end.
      report.wasDone = isFirst && resumed.values.allSatisfy(\.isEmpty)
      if report.wasDone { return }
    }
    let history = try ReplayHistory(selection, store, client, resumed: resumed)
    if isFirst { tell(history.notes, as: "note") }
    try publish(history, producer, member, isBegun: !resumed.isEmpty)
  }

  /// What is left of each partition.
  private static func resumed(
    _ committed: [TopicPartition: CommittedOffset]
  ) throws(HeadraceError) -> [TopicPartition: Range<Int64>] {
    var ranges: [TopicPartition: Range<Int64>] = [:]
    for (partition, offset) in committed {
      guard let metadata = offset.metadata, metadata.hasPrefix(endPrefix),
        let end = Int64(metadata.dropFirst(endPrefix.count))
      else {
        throw HeadraceError(
          .user, "REPLAY_NAME_TAKEN", "the group's offsets are not those of a replay", place: partition.description,
          remedy: "give the replay another --name")
      }
      ranges[partition] = min(offset.offset, end)..<end
    }
    return ranges
  }

  private static let endPrefix = "end="

  private func publish(
    _ history: ReplayHistory, _ producer: TransactionalProducer, _ member: Consumer, isBegun: Bool
  ) throws {
    // From the first batch on every partition has its range: what comes to the log later is not part of the replay.
    var committed: [TopicPartition: Int64] = [:]
    if !isBegun { try commit([], history, producer, member, &committed) }
    for partition in history.partitions where isBegun { committed[partition.partition] = partition.position }
    var batches = Batches(selection, target)
    var isOpen = true
    while isOpen, !stop.isRaised {
      isOpen = try fill(&batches, history)
      guard batches.count > 0 || !isOpen else { continue }
      try commit(batches.all, history, producer, member, &committed)
      batches.settle(into: &report)
      tell(
        retention.observe(
          oldestMilliseconds: report.sources.compactMap(\.oldestMilliseconds).min(), publishedBytes: 0,
          nowMilliseconds: WallClock.system.nowMilliseconds), as: "warning")
      progress.draw(records: report.published, fraction: history.fraction, label: target.topic)
    }
    history.addDeadLetters(to: &report)
    report.isDone = !isOpen
  }

  /// - Returns: false when there is nothing more.
  private func fill(_ batches: inout Batches, _ history: ReplayHistory) throws -> Bool {
    let deadline = WallClock.monotonic.nowMilliseconds + Self.batchMilliseconds
    while batches.count < Self.batchRecordsMax, batches.sizeBytes < Self.batchBytesMax, !stop.isRaised {
      let now = WallClock.monotonic.nowMilliseconds
      guard now < deadline else { return true }
      switch try history.next(timeoutMilliseconds: 50) {
      case .done: return false
      case .nothingYet: continue
      case .event(let partition):
        guard isDue(partition, until: deadline) else { return true }
        let isArchived = partition.isArchived
        guard let event = try partition.take(withValue: true) else { continue }
        try batches.append(event, partition, isArchived: isArchived)
      }
    }
    return true
  }

  /// Waits until the next event of a partition is due; false when that is behind the batch's end.
  private func isDue(_ partition: PartitionHistory, until deadline: Int64) -> Bool {
    guard pace != .unlimited else { return true }
    let time = partition.nextTime(selection.clock)
    while !stop.isRaised {
      let now = WallClock.monotonic.nowMilliseconds
      let wait = pacer.waitMilliseconds(eventTime: time, nowMilliseconds: now)
      guard wait > 0 else { return true }
      guard now < deadline else { return false }
      Sleep.milliseconds(Int(min(wait, 50, deadline - now)))
    }
    return false
  }

  /// One transaction: records and places.
  private func commit(
    _ batches: [ProduceBatch], _ history: ReplayHistory, _ producer: TransactionalProducer, _ member: Consumer,
    _ committed: inout [TopicPartition: Int64]
  ) throws(HeadraceError) {
    var offsets: [TopicPartition: CommittedOffset] = [:]
    for partition in history.partitions where committed[partition.partition] != partition.position {
      offsets[partition.partition] = CommittedOffset(
        offset: partition.position, metadata: "\(Self.endPrefix)\(partition.range.upperBound)")
    }
    guard !offsets.isEmpty else { return }
    try producer.begin()
    for batch in batches where !batch.isEmpty { try producer.send(batch) }
    try producer.flush(timeoutMilliseconds: Self.timeoutMilliseconds)
    ReplayKillPoint.pass(.beforeEnd)
    try producer.sendOffsets(
      offsets, group: try member.groupMetadata(), timeoutMilliseconds: Self.timeoutMilliseconds)
    try producer.commit(timeoutMilliseconds: Self.timeoutMilliseconds)
    ReplayKillPoint.pass(.afterEnd)
    for (partition, offset) in offsets { committed[partition] = offset.offset }
  }

  private func tell(_ texts: [String], as kind: String) {
    guard !texts.isEmpty else { return }
    progress.clear()
    for text in texts { StandardError.write("\(kind): \(text)") }
  }
}

/// Named places at which a test can make a replay die: `HEADRACE_KILL_AT=replay.before-end:3`.
enum ReplayKillPoint: String, CaseIterable {
  /// Records are in the log inside of the open transaction; nothing is decided.
  case beforeEnd = "replay.before-end"
  /// Kafka has decided; this process has not heard of it.
  case afterEnd = "replay.after-end"

  /// Rows of a table are made, and none of them is visible.
  case rowsMade = "replay.rows-made"

  static func pass(_ point: ReplayKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: ReplayKillPoint? = KillSwitch.armed()
}

/// Records on their way, by source: each has its partitioner.
private struct Batches {
  private let selection: ReplaySelection
  private let target: ReplayTarget
  private(set) var all: [ProduceBatch]
  /// What is counted when the batches are committed.
  private var counted: [ReplayReport.Source]
  private(set) var count = 0

  init(_ selection: ReplaySelection, _ target: ReplayTarget) {
    self.selection = selection
    self.target = target
    all = selection.sources.map { index in
      ProduceBatch(
        topic: target.topic, partitioner: selection.plan.sources[index].partitioner ?? .murmur2,
        partitionCount: target.partitionCount)
    }
    counted = ReplayReport(selection).sources
  }

  var sizeBytes: Int { all.reduce(0) { $0 + $1.sizeBytes } }

  mutating func append(_ event: PastEvent, _ history: PartitionHistory, isArchived: Bool) throws(HeadraceError) {
    guard let position = selection.sources.firstIndex(of: history.source) else { return }
    // Without a key no rule says where it belongs: where it was, as far as there are so many.
    let partition = event.key == nil ? history.partition.partition % target.partitionCount : nil
    let time = event.knownMilliseconds ?? event.eventMilliseconds.flatMap { $0 > 0 ? $0 : nil }
    if let key = event.key {
      unsafe try all[position].append(
        key: key.span.bytes, value: event.value.span.bytes, timestampMilliseconds: time, partition: partition)
    } else {
      unsafe try all[position].append(
        value: event.value.span.bytes, timestampMilliseconds: time, partition: partition)
    }
    for header in event.headers {
      if let value = header.value {
        unsafe try all[position].appendHeader(header.name, value.span.bytes)
      } else {
        try all[position].appendHeader(header.name, nil)
      }
    }
    try all[position].appendHeader("headrace-src", "\(history.partition)@\(event.offset)")
    try all[position].appendHeader("headrace-replay", target.name)
    counted[position].count(event, isArchived: isArchived)
    count += 1
  }

  mutating func settle(into report: inout ReplayReport) {
    report.published += Int64(count)
    for position in counted.indices { report.sources[position].add(counted[position]) }
    for position in all.indices { all[position].removeAll() }
    counted = ReplayReport(selection).sources
    count = 0
  }
}
