package import Core
package import Kafka
package import Logging
internal import Synchronization

/// Tells the other processes of a topology which tasks this one has and where it answers, and knows the same of them:
/// a compacted topic with one record for each process.
///
/// Who owns a task is the consumer group's decision alone. This only says where to ask, and may be late: whoever is
/// asked for a task that it does not have says so, and the asker looks again.
package final class InstanceLane: Sendable {
  package static let topic = "headrace.instances"

  package struct Configuration: Sendable {
    package var client: ClientConfiguration
    package var topology: String
    /// Of this process, the same after a restart.
    package var instance: String
    package var replicationFactor: Int32

    package init(client: ClientConfiguration, topology: String, instance: String, replicationFactor: Int32 = 1) {
      self.client = client
      self.topology = topology
      self.instance = instance
      self.replicationFactor = replicationFactor
    }
  }

  private let configuration: Configuration
  private let partitions: @Sendable () -> [Int32]
  private let logger: Logger
  private let thread = SessionThread("instances")
  private let directory: Mutex<InstanceDirectory>
  private let life = InstanceRecord.newLife()

  /// - Parameter partitions: the tasks that are in this process now.
  package init(_ configuration: Configuration, partitions: @escaping @Sendable () -> [Int32], logger: Logger) {
    self.configuration = configuration
    self.partitions = partitions
    self.logger = logger
    directory = Mutex(InstanceDirectory(topology: configuration.topology))
  }

  /// The other process that has a task; nil when nobody has said so, and when it is this one.
  package func other(with partition: Int32) -> InstanceRecord? {
    let owner = directory.withLock { $0.owner(of: partition) }
    return owner?.instance == configuration.instance ? nil : owner
  }

  /// - Parameter address: HOST:PORT under which the others reach this process.
  package func start(address: String) throws(HeadraceError) {
    try thread.start { thread in
      thread.repeatSessions(
        failed: { error, count in
          guard count == 1 else { return }
          self.logger.warning(
            "rows of other workers' keys cannot be had: who has them is not known", metadata: ["error": "\(error)"])
        }, session: { try self.session(address) })
    }
  }

  /// Says that this process goes. Behind its tasks: until then they are here.
  package func stop() async { await thread.stop(timeoutMilliseconds: Self.stopMilliseconds) }

  private static let stopMilliseconds: Int64 = 5_000
  private static let pollMilliseconds: Int32 = 50
  private static let sendMilliseconds: Int32 = 5_000

  /// One life of the consumer.
  private func session(_ address: String) throws {
    try makeTopic()
    let partition = TopicPartition(topic: Self.topic, partition: 0)
    var reading = ConsumerConfiguration(client: configuration.client, groupID: nil)
    reading.outOfRange = .earliest
    let consumer = try Consumer(reading)
    defer { _ = try? consumer.close() }
    let end = try consumer.watermarks([partition])[partition]?.end ?? 0
    // A topic that was deleted and made again has forgotten everybody, and so do we.
    directory.withLock { directory in
      if directory.nextOffset > end { directory = InstanceDirectory(topology: configuration.topology) }
    }
    try consumer.assign([partition: .beginning])
    var told: [Int32]?
    var looksForTwins = InstanceRecord.isLoopback(address)
    while !thread.isStopping {
      try consumer.poll(timeoutMilliseconds: Self.pollMilliseconds) { records in
        directory.withLock { directory in
          for index in records.indices { Self.apply(records[index], to: &directory) }
        }
      }
      if looksForTwins, let twin = directory.withLock({ $0.twin(of: configuration.instance, at: address) }) {
        looksForTwins = false
        warn(of: twin)
      }
      let mine = partitions()
      guard mine != told else { continue }
      try tell(
        InstanceRecord(
          topology: configuration.topology, instance: configuration.instance, address: address, partitions: mine,
          life: life))
      told = mine
    }
    if told != nil { try tell(nil) }
  }

  /// An address that means another machine for each who reads it.
  private func warn(of twin: InstanceRecord) {
    logger.warning(
      "another worker says that it answers at this one's address: on two machines they cannot reach each other",
      metadata: [
        "address": "\(twin.address)", "instance": "\(twin.instance)",
        "remedy": "give each worker --advertise HOST:PORT, by which the others reach it",
      ])
  }

  private static func apply(_ record: borrowing ConsumedRecord, to directory: inout InstanceDirectory) {
    guard let key = record.key else { return }
    let text = unsafe key.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    var told: InstanceRecord?
    if let value = record.value { told = InstanceRecord(json: unsafe value.withUnsafeBytes { unsafe Array($0) }) }
    directory.apply(key: text, told, offset: record.offset)
  }

  /// - Parameter record: nil: this process goes.
  private func tell(_ record: InstanceRecord?) throws(HeadraceError) {
    let producer = try Producer(ProducerConfiguration(client: configuration.client))
    defer { producer.close() }
    var batch = ProduceBatch(topic: Self.topic)
    let key = Array(InstanceRecord.key(topology: configuration.topology, instance: configuration.instance).utf8)
    let value = record?.encoded
    if let value {
      unsafe try batch.append(key: key.span.bytes, value: value.span.bytes, partition: 0)
    } else {
      unsafe try batch.append(key: key.span.bytes, value: nil, partition: 0)
    }
    let report = try producer.sendAndWait(batch, timeoutMilliseconds: Self.sendMilliseconds)
    if let error = report.error { throw error }
  }

  private func makeTopic() throws(HeadraceError) {
    let admin = try Admin(configuration.client)
    guard try !admin.describeCluster().topics.contains(where: { $0.name == Self.topic && $0.error == nil }) else {
      return
    }
    let topic = NewTopic(
      name: Self.topic, partitionCount: 1, replicationFactor: configuration.replicationFactor,
      configuration: ["cleanup.policy": "compact"])
    do throws(HeadraceError) {
      try admin.createTopic(topic)
    } catch {
      guard error.isKafka(.topicExists) else { throw error }
    }
  }
}
