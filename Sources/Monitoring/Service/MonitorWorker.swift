internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Topology

/// The monitors' thread: a member of a group, which works as long as the group gives it the first partition.
final class MonitorWorker: RebalanceListener, Sendable {
  private let configuration: MonitoringConfiguration
  private let schemas: any WriterSchemas
  private let board: MonitorBoard
  private let logger: Logger

  init(
    _ configuration: MonitoringConfiguration, _ schemas: any WriterSchemas, _ board: MonitorBoard, _ logger: Logger
  ) {
    self.configuration = configuration
    self.schemas = schemas
    self.board = board
    self.logger = logger
  }

  /// Runs one plan.
  ///
  /// - Parameter goesOn: whether it is still to be run.
  func session(_ plan: Plan, while goesOn: () -> Bool) throws {
    guard let first = plan.runningMonitors.first else { return }
    let topic = plan.models[plan.monitors[first].model].outputTopic
    let leader = TopicPartition(topic: topic, partition: 0)
    let folder = "\(configuration.dataDirectory)/monitors"
    try MonitorFolder.make(folder)
    var group = ConsumerConfiguration(client: configuration.client, groupID: "\(plan.name).monitors")
    group.groupInstanceID = try MonitorFolder.identity(folder)
    group.prefetchKibibytesMaximum = 1_024
    group.prefetchRecordsMinimum = 1
    let member = try Consumer(group, listener: self)
    defer { _ = try? member.close() }
    try member.subscribe([topic])
    var session: MonitorSession?
    while goesOn() {
      // It is a member for the sake of its membership: records are read by the session.
      try member.poll(timeoutMilliseconds: session == nil ? 100 : 0) { _ in }
      let flowing = Set(member.assignment).subtracting(member.paused)
      if !flowing.isEmpty { try member.pause(flowing.sorted()) }
      guard member.assignment.contains(leader) else {
        session?.close()
        session = nil
        continue
      }
      if session == nil {
        session = try MonitorSession(plan, configuration, schemas, member, "\(folder)/\(plan.name).state", logger)
      }
      let began = WallClock.monotonicNanoseconds
      if try session?.step(member, board) ?? false { giveWay(since: began, while: goesOn) }
    }
    try session?.save(member)
    session?.close()
  }

  /// After some work: as long as the stream is behind, nine times as long as that is left to it.
  private func giveWay(since beganNanoseconds: Int64, while goesOn: () -> Bool) {
    let taken = WallClock.monotonicNanoseconds &- beganNanoseconds
    let end = WallClock.monotonicNanoseconds &+ min(9 &* taken, Self.waysNanosecondsMaximum)
    while goesOn(), configuration.isStreamBehind(), WallClock.monotonicNanoseconds < end {
      Sleep.milliseconds(5)
    }
  }

  private static let waysNanosecondsMaximum: Int64 = 1_000_000_000

  func assigned(_ partitions: [AssignedPartition], to consumer: Consumer) throws -> [TopicPartition: Int64] { [:] }
  func revoked(_ partitions: [TopicPartition], from consumer: Consumer) throws {}
  func lost(_ partitions: [TopicPartition], from consumer: Consumer) throws {}
}
