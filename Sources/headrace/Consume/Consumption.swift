internal import Contracts
internal import Core
internal import Kafka

/// One run of `consume`. Lives on one thread that may block.
final class Consumption {
  struct Plan: Sendable {
    var topic: String
    /// Empty: all.
    var partitions: Set<Int32>
    var from: ConsumePosition
    var until: ConsumePosition?
    var countMax: Int?
    var output: ConsumeCommand.Output
    var readsUncommitted: Bool
  }

  private static let pollMilliseconds: Int32 = 500

  private let plan: Plan
  private let client: ClientConfiguration
  private let consumer: Consumer
  private let stop: StopRequest
  private var formatter: RecordFormatter
  private var output = StandardOutput()
  private var limits: ReadingLimits

  init(_ plan: Plan, _ client: ClientConfiguration, _ text: AvroText? = nil) throws {
    self.plan = plan
    self.client = client
    var configuration = ConsumerConfiguration(client: client, groupID: nil)
    configuration.readsUncommitted = plan.readsUncommitted
    configuration.reportsPartitionEnds = true
    consumer = try Consumer(configuration)
    let waker = try consumer.waker()
    stop = try TerminationSignal.watch { waker.wake() }
    formatter = try RecordFormatter(plan.output, text, waitMilliseconds: Int64(client.requestTimeoutMilliseconds))
    limits = ReadingLimits(countMax: plan.countMax)
  }

  func run() throws -> ExitStatus {
    defer { _ = try? consumer.close() }
    let starts = try resolve()
    do {
      if !limits.isDone {
        try consumer.assign(starts)
        try read()
      }
      try output.flush()
    } catch is StandardOutput.Closed {
      return .success
    }
    return stop.status ?? .success
  }

  private func read() throws {
    var lastProgress = WallClock.monotonic.nowMilliseconds
    while !limits.isDone && !stop.isRaised {
      let result = try consumer.poll(timeoutMilliseconds: Self.pollMilliseconds) { batch in
        let wanted = limits.take(
          partition: batch.partition.partition, offsets: batch.firstOffset...batch.lastOffset, count: batch.count
        ) { batch[$0].offset }
        try formatter.append(batch, indices: wanted, to: &output)
      }
      if result.records > 0 { try output.flush() }
      for end in result.endsReached {
        limits.didReachEnd(partition: end.partition, position: try consumer.position(of: end))
      }
      let now = WallClock.monotonic.nowMilliseconds
      if result.records > 0 || !result.endsReached.isEmpty { lastProgress = now }
      guard !limits.expectsRecords || now - lastProgress <= Int64(client.requestTimeoutMilliseconds) else {
        throw HeadraceError(
          .timedOut, "no record came for \(Figures.duration(milliseconds: now - lastProgress)), and more are there",
          place: plan.topic)
      }
    }
  }

  /// Where each partition starts; and where it ends, in `limits`.
  private func resolve() throws -> [TopicPartition: StartOffset] {
    let partitionCount = try consumer.partitionCount(of: plan.topic)
    if let missing = plan.partitions.filter({ $0 >= partitionCount }).min() {
      throw HeadraceError(
        .user, "NO_SUCH_PARTITION", "the topic has \(partitionCount) partitions: 0 to \(partitionCount - 1)",
        place: "\(plan.topic)/\(missing)", remedy: "correct --partition")
    }
    let partitions = (0..<partitionCount).filter { plan.partitions.isEmpty || plan.partitions.contains($0) }
      .map { TopicPartition(topic: plan.topic, partition: $0) }
    let watermarks = try consumer.watermarks(partitions)
    let starts = try offsets(of: plan.from, watermarks)
    let ends = try plan.until.map { try offsets(of: $0, watermarks) }
    for partition in partitions {
      guard let marks = watermarks[partition], let start = starts[partition] else { continue }
      limits.add(
        partition: partition.partition, start: start, end: ends?[partition], endOfLog: marks.end)
      if case .offset(let asked) = plan.from, asked < marks.beginning {
        StandardError.write("warning: \(partition) begins at offset \(marks.beginning); \(asked) is gone")
      }
    }
    return starts.mapValues { .offset($0) }
  }

  /// - Returns: for starts within the log; for ends also behind it.
  private func offsets(
    of position: ConsumePosition, _ watermarks: [TopicPartition: Watermarks]
  ) throws -> [TopicPartition: Int64] {
    switch position {
    case .beginning: return watermarks.mapValues(\.beginning)
    case .end: return watermarks.mapValues(\.end)
    case .offset(let offset):
      return watermarks.mapValues { marks in
        position == plan.from ? min(max(offset, marks.beginning), marks.end) : offset
      }
    case .time(let milliseconds):
      let found = try consumer.offsets(forTimes: watermarks.mapValues { _ in milliseconds })
      return watermarks.reduce(into: [:]) { offsets, entry in
        offsets[entry.key] = (found[entry.key] ?? nil) ?? entry.value.end
      }
    }
  }
}
