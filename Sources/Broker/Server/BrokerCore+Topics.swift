internal import Core
internal import Logging

/// Topics as they come, change and go: the journal first, then the folders, so that a kill leaves nothing half made.
extension BrokerCore {
  func partition(_ topic: String, _ index: Int32) -> Partition? { topics[topic]?.partition(index) }

  /// - Throws: when the name is taken, the settings are not sound, or the disk refuses.
  @discardableResult
  func createTopic(name: String, partitionCount: Int32, overrides: [String: String]) throws(HeadraceError) -> Topic {
    _ = try resolvedConfiguration(overrides)
    var generator = SystemRandomNumberGenerator()
    let id = TopicID.random(using: &generator)
    try record(
      [.topic(.created(name: name, id: id, partitionCount: partitionCount, overrides: Self.settings(overrides)))])
    KillPoint.pass(.topicBeforeFolders)
    guard let topic = topics[name] else {
      throw HeadraceError(.internal, "TOPIC_LOST", "a topic vanished while it was made", place: name)
    }
    do throws(HeadraceError) {
      try openPartitions(of: topic, upTo: partitionCount)
    } catch {
      // What cannot be served must not exist: the journal takes it back.
      try deleteTopic(topic)
      throw error
    }
    logger.info("created a topic", metadata: ["topic": "\(name)", "partitions": "\(partitionCount)", "id": "\(id)"])
    return topic
  }

  func deleteTopic(_ topic: Topic) throws(HeadraceError) {
    try record([.topic(.deleted(name: topic.name, id: topic.id)), .group(.topicDeleted(topic: topic.name))])
    KillPoint.pass(.topicBeforeDelete)
    for partition in topic.partitions {
      try? partition.log.close()
      answerWaitingFetches(of: partition)
    }
    let path = folder.topicPath(name: topic.name, id: topic.id)
    worker.run(on: loop, { DataFolder.remove(path) }, completion: { _ in })
    logger.info("deleted a topic", metadata: ["topic": "\(topic.name)", "id": "\(topic.id)"])
  }

  func addPartitions(to topic: Topic, count: Int32) throws(HeadraceError) {
    try record([.topic(.partitionsAdded(name: topic.name, partitionCount: count))])
    try openPartitions(of: topic, upTo: count)
  }

  func configure(_ topic: Topic, overrides: [String: String]) throws(HeadraceError) {
    _ = try resolvedConfiguration(overrides)
    try record([.topic(.configured(name: topic.name, overrides: Self.settings(overrides)))])
  }

  func resolvedConfiguration(_ overrides: [String: String]) throws(HeadraceError) -> LogConfiguration {
    try TopicConfiguration.resolved(defaults: configuration.topics.overrides, overrides: overrides)
  }

  /// Makes and opens the logs of the partitions that the topic does not have yet.
  func openPartitions(of topic: Topic, upTo count: Int32) throws(HeadraceError) {
    let path = folder.topicPath(name: topic.name, id: topic.id)
    while topic.partitions.count < Int(count) {
      let index = Int32(topic.partitions.count)
      let directory = "\(path)/\(index)"
      try DataFolder.make(directory)
      let log: PartitionLog
      do throws(HeadraceError) {
        log = try PartitionLog.open(
          folder: directory, configuration: topic.configuration, resources: logResources,
          nowMilliseconds: wallMilliseconds)
      } catch {
        throw error.at("\(topic.name)/\(index)")
      }
      report(log.recovery, of: "\(topic.name)/\(index)")
      topic.partitions.append(Partition(index: index, log: log))
    }
  }

  /// Brings the catalogue to where an event says it is; files are the business of the callers above.
  func apply(_ event: TopicEvent) {
    switch event {
    case .clusterFounded(let id): clusterID = id
    case .created(let name, let id, let partitionCount, let settings):
      let overrides = Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      // Settings were checked before they were journaled; a newer broker's setting falls back to the default.
      let resolved = (try? resolvedConfiguration(overrides)) ?? LogConfiguration()
      let topic = Topic(name: name, id: id, overrides: overrides, configuration: resolved)
      topic.journaledPartitionCount = partitionCount
      topics[name] = topic
      topicNames[id] = name
    case .partitionsAdded(let name, let partitionCount): topics[name]?.journaledPartitionCount = partitionCount
    case .configured(let name, let settings):
      guard let topic = topics[name] else { return }
      topic.overrides = Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      topic.configuration = (try? resolvedConfiguration(topic.overrides)) ?? topic.configuration
      for partition in topic.partitions { partition.log.configuration = topic.configuration }
    case .deleted(let name, let id):
      guard topics[name]?.id == id else { return }
      topics[name] = nil
      topicNames[id] = nil
    }
  }

  /// The fewest topic events that bring the catalogue back.
  func topicSnapshotEvents() -> [TopicEvent] {
    [.clusterFounded(id: clusterID)]
      + topics.values.sorted { $0.name < $1.name }.map { topic in
        .created(
          name: topic.name, id: topic.id, partitionCount: topic.journaledPartitionCount,
          overrides: Self.settings(topic.overrides))
      }
  }

  private static func settings(_ overrides: [String: String]) -> [TopicEvent.Setting] {
    overrides.sorted { $0.key < $1.key }.map { TopicEvent.Setting(name: $0.key, value: $0.value) }
  }

  /// What opening a log cut off was never acknowledged, unless the disk has lost what it had promised to keep.
  private func report(_ recovery: LogRecoveryReport, of partition: String) {
    guard recovery.truncatedBytes > 0 || recovery.lostFlushedData else { return }
    let metadata: Logger.Metadata = [
      "partition": "\(partition)", "bytes": "\(recovery.truncatedBytes)", "file": "\(recovery.truncatedFile ?? "")",
    ]
    if recovery.lostFlushedData {
      logger.error("flushed data is gone: records are missing at the end of a log", metadata: metadata)
    } else {
      logger.notice("cut a torn end off a log", metadata: metadata)
    }
  }

  func report(_ error: HeadraceError, _ what: String) {
    logger.error("\(what)", metadata: ["error": "\(error)"])
  }
}
