internal import Core
internal import Kafka
internal import Monitoring
internal import Registry
internal import Runtime
internal import Topology

/// Waits until everything that follows from the log as it stands has happened: every event is applied and scored, every
/// window that is over is judged and told, every task scores by what the registry says. Blocks.
///
/// Between two slices of a replay nothing is under way, so that what is decided next is decided at the same place of
/// the log in every run, however fast the machine is.
final class LoopBarrier {
  private static let pauseMilliseconds = 2
  private static let patienceMilliseconds: Int64 = 60_000

  private let process: TopologyProcess
  private let client: ClientConfiguration
  private let stop: StopRequest
  private let consumer: Consumer
  private let control: ControlLog

  init(_ process: TopologyProcess, _ client: ClientConfiguration, _ stop: StopRequest) throws {
    self.process = process
    self.client = client
    self.stop = stop
    consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
    control = try ControlLog(client)
  }

  func close() { _ = try? consumer.close() }

  /// Events are applied, their outputs committed, and the monitors have seen all of it.
  func waitForEvents() throws {
    let plan = process.plan
    let sources = try partitions(of: plan.sources.map(\.topic) + plan.views.compactMap(\.repartitionTopic))
    try wait("events are not applied") { try isCommitted(sources) }
    let watched = Set(
      plan.models.filter { $0.stream != nil }.flatMap { model in
        [model.outputTopic, plan.sources[model.source].topic]
          + (model.label.map { [plan.sources[$0.source].topic] } ?? [])
      })
    guard !plan.monitors.isEmpty else { return }
    let read = try partitions(of: watched.sorted() + [ControlLog.topic])
    try wait("monitors do not read") {
      let positions = process.monitors.status.positions
      return try consumer.watermarks(read).allSatisfy { partition, marks in
        (positions[partition] ?? 0) >= marks.end
      }
    }
  }

  /// Everything that is committed is in the archive as well.
  func waitForArchive() throws {
    let sources = try partitions(of: process.plan.sources.map(\.topic))
    try wait("events are not archived") {
      let status = process.engine.status()
      guard status.tables.allSatisfy({ $0.waitingRows == 0 }) else { return false }
      var saved: [TopicPartition: Int64] = [:]
      for task in status.tasks {
        for input in task.inputs {
          saved[TopicPartition(topic: input.topic, partition: task.partition)] = input.savedOffset
        }
      }
      return try consumer.watermarks(sources).allSatisfy { partition, marks in
        marks.end == 0 || (saved[partition] ?? 0) >= marks.end
      }
    }
  }

  /// One past the newest committed record.
  func end(of partition: TopicPartition) throws -> Int64 { try consumer.watermarks([partition])[partition]?.end ?? 0 }

  /// Tasks score by what the registry says.
  ///
  /// - Returns: what it says.
  @discardableResult
  func waitForModels() throws -> RegistryState {
    let registry = try control.currentRegistry()
    try wait("tasks do not go over to other versions") { process.engine.hasTaken(registry) }
    return registry
  }

  private func partitions(of topics: [String]) throws -> [TopicPartition] {
    var found: [TopicPartition] = []
    for topic in Set(topics).sorted() {
      for number in 0..<(try consumer.partitionCount(of: topic)) {
        found.append(TopicPartition(topic: topic, partition: number))
      }
    }
    return found
  }

  private func isCommitted(_ sources: [TopicPartition]) throws -> Bool {
    let tasks = process.engine.status().tasks
    var committed: [TopicPartition: Int64] = [:]
    for task in tasks where task.phase == .running {
      for input in task.inputs {
        committed[TopicPartition(topic: input.topic, partition: task.partition)] = input.committedOffset
      }
    }
    return try consumer.watermarks(sources).allSatisfy { partition, marks in
      // Nothing was ever written: there is nothing to commit.
      marks.end == 0 || (committed[partition] ?? 0) >= marks.end
    }
  }

  private func wait(_ what: String, until isDone: () throws -> Bool) throws {
    let deadline = WallClock.monotonic.nowMilliseconds + Self.patienceMilliseconds
    while try !isDone() {
      if let failure = process.failure { throw failure }
      if let status = stop.status { throw Ended(status: status) }
      guard WallClock.monotonic.nowMilliseconds < deadline else {
        let why = process.engine.status().tasks.compactMap(\.whyNotMoving).first
        throw HeadraceError(
          .internal, "LOOP_STUCK",
          "\(what) within \(Self.patienceMilliseconds / 1_000) s" + (why.map { ": \($0)" } ?? ""),
          place: process.plan.name, remedy: "the log of the process says more: --log-level info")
      }
      Sleep.milliseconds(Self.pauseMilliseconds)
    }
  }
}
