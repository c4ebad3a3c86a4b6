package import Core
package import Kafka
package import Registry
package import Topology

/// The control topic: which plan of each topology runs, and what the registry of models says; since which offsets. One
/// partition, never compacted, never expired.
///
/// Every call blocks, and belongs to the thread that made it.
package final class ControlLog {
  package static let topic = "headrace.control"
  private let client: ClientConfiguration
  private let consumer: Consumer
  private var state = ControlState()
  /// Registry commands as they stand in the log, since they were taken last; nil: nobody wants them.
  private var commands: [RegistryDatabase.Record]?

  /// Makes the topic if it is not there.
  ///
  /// - Parameter keepsCommands: whether somebody will take the registry's commands (`commandsRead`).
  package init(
    _ client: ClientConfiguration, replicationFactor: Int32 = 1, keepsCommands: Bool = false
  ) throws(HeadraceError) {
    self.client = client
    commands = keepsCommands ? [] : nil
    let admin = try Admin(client)
    let topics = try admin.describeCluster().topics
    if !topics.contains(where: { $0.name == Self.topic && $0.error == nil }) {
      let new = NewTopic(
        name: Self.topic, partitionCount: 1, replicationFactor: replicationFactor,
        configuration: ["retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"])
      do throws(HeadraceError) {
        try admin.createTopic(new)
      } catch {
        guard error.isKafka(.topicExists) else { throw error }
      }
    }
    consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
    try consumer.assign([Self.partition: .beginning])
  }

  deinit { _ = try? consumer.close() }

  private static var partition: TopicPartition { TopicPartition(topic: topic, partition: 0) }

  /// The plan of a topology that is in force; nil when none was ever applied.
  package func current(topology: String) throws -> AppliedPlan? {
    try readToEnd()
    return state.plans[topology]
  }

  /// Puts a plan in force in the place of the version that was seen.
  ///
  /// - Parameter expectedVersion: that of the plan in force; 0 when there is none.
  /// - Returns: the plan with its version.
  /// - Throws: `PLAN_OVERTAKEN` when somebody else was faster.
  package func apply(_ plan: Plan, expectedVersion: Int64) throws -> AppliedPlan {
    try send(
      .plan(
        topology: plan.name, expects: expectedVersion, fingerprint: plan.fingerprint, document: plan.document.encoded())
    )
    guard let applied = try current(topology: plan.name), applied.fingerprint == plan.fingerprint,
      applied.version == expectedVersion + 1
    else {
      throw HeadraceError(
        .user, "PLAN_OVERTAKEN", "another plan was applied at the same moment", place: plan.name,
        remedy: "look at what runs now with `headrace plan`, then apply again")
    }
    return applied
  }

  /// Says that a task runs a plan from these offsets on.
  func noteSwitch(
    topology: String, version: Int64, task: Int32, offsets: [TopicPartition: Int64]
  ) throws(HeadraceError) {
    try send(.switched(topology: topology, version: version, task: task, offsets: offsets))
  }

  /// What all registry commands up to here come to; reads to the end of the topic first.
  package func currentRegistry() throws -> RegistryState {
    try readToEnd()
    return state.registry
  }

  /// The registry's commands that were read since `dropCommands`, oldest first.
  var commandsRead: [RegistryDatabase.Record] { commands ?? [] }

  /// They are somewhere else now.
  func dropCommands() { commands?.removeAll() }

  /// What the registry commands come to that were read so far.
  var registry: RegistryState { state.registry }

  /// The topologies that have a plan in force, as far as it was read.
  package var plans: [AppliedPlan] { state.plans.values.sorted { $0.topology < $1.topology } }

  /// Sends a registry command, and reads on until it is known what became of it.
  ///
  /// - Parameter timeMilliseconds: when it was given, if that is not now.
  /// - Throws: `COMMAND_INVALID` when nobody could read it; `COMMAND_NOT_READ` when it was sent and did not come back.
  package func send(_ command: RegistryCommand, timeMilliseconds: Int64? = nil) throws -> RegistryOutcome {
    try command.check()
    state.awaited.insert(command.id)
    try send(.registry(command), timeMilliseconds: timeMilliseconds)
    try readToEnd()
    guard let outcome = state.takeOutcome(of: command.id) else {
      throw HeadraceError(
        .external, "COMMAND_NOT_READ", "the command was sent, and is not in the control topic", retry: .unknownOutcome,
        place: Self.topic, remedy: "`headrace models show` shows whether it was followed")
    }
    return outcome
  }

  /// Says by what a task scores, and since where, unless that was said before.
  func noteScoring(
    topology: String, task: Int32, position: Int64, offsets: [TopicPartition: Int64]
  ) throws(HeadraceError) {
    guard state.scorings[topology]?[task]?.last?.position != position else { return }
    try send(.scores(topology: topology, position: position, task: task, offsets: offsets))
  }

  /// By task, oldest first: by what it scored, and since where.
  func scorings(topology: String) -> [Int32: [ControlState.Scoring]] { state.scorings[topology] ?? [:] }

  /// What a task scored by at an offset of one of its inputs: a position of the registry, and since which offset.
  package func scoring(
    topology: String, of partition: TopicPartition, at offset: Int64
  ) -> (position: Int64, since: Int64)? {
    let known = state.scorings[topology]?[partition.partition] ?? []
    return known.compactMap { scoring in
      scoring.offsets[partition].flatMap { $0 <= offset ? (scoring.position, $0) : nil }
    }.last
  }

  /// Whose predictions were made again, oldest first.
  ///
  /// - Parameter model: in its topology.
  package func corrections(model: String) throws -> [CorrectionRecord] {
    try readToEnd()
    return state.corrections.filter { $0.model == model }
  }

  /// Waits for a plan of the topology that is newer than `version`.
  ///
  /// - Returns: nil when none came in time.
  package func next(
    topology: String, after version: Int64, timeoutMilliseconds: Int32
  ) throws -> AppliedPlan? {
    try poll(timeoutMilliseconds)
    guard let plan = state.plans[topology], plan.version > version else { return nil }
    return plan
  }

  private func send(_ record: ControlRecord, timeMilliseconds: Int64? = nil) throws(HeadraceError) {
    let producer = try Producer(ProducerConfiguration(client: client))
    defer { producer.close() }
    var batch = ProduceBatch(topic: Self.topic)
    try record.append(to: &batch, timeMilliseconds: timeMilliseconds)
    let report = try producer.sendAndWait(batch, timeoutMilliseconds: client.requestTimeoutMilliseconds)
    if let error = report.error { throw error }
  }

  private func readToEnd() throws {
    let end = try consumer.watermarks([Self.partition])[Self.partition]?.end ?? 0
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(client.requestTimeoutMilliseconds)
    while try consumer.position(of: Self.partition) < end {
      try poll(100)
      guard WallClock.monotonic.nowMilliseconds < deadline else {
        throw HeadraceError(
          .external, "CONTROL_UNREADABLE", "the control topic could not be read to its end in time", retry: .sameCall,
          place: Self.topic, remedy: "check that the broker is up and reachable")
      }
    }
  }

  private func poll(_ timeoutMilliseconds: Int32) throws {
    try consumer.poll(timeoutMilliseconds: timeoutMilliseconds) { records in
      for index in records.indices {
        let (offset, time) = (records[index].offset, records[index].timestampMilliseconds)
        let command = ControlRecord.registryBytes(records[index])
        if let command { commands?.append(.init(offset: offset, timeMilliseconds: time, json: command)) }
        if let record = ControlRecord(records[index]) {
          state.apply(record, offset: offset, timeMilliseconds: time)
        } else if command != nil {
          state.passOverCommand(at: offset)
        }
      }
    }
  }
}
