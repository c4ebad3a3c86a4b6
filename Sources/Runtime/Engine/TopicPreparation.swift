internal import Core
internal import Kafka
internal import Logging
internal import Topology

/// Before the workers start: are the topics there, do they agree, do they keep their records for long enough?
struct TopicPreparation {
  let plan: Plan
  let configuration: RuntimeConfiguration
  let logger: Logger

  /// - Returns: the number of partitions of the topology's topics, which is the number of its tasks.
  func run(_ admin: Admin) throws(HeadraceError) -> Int32 {
    var counts = try partitionCounts(admin)
    try createInputs(admin, &counts)
    let count = try commonCount(counts)
    try createOurs(admin, counts, count)
    try checkRetention(admin)
    return count
  }

  /// What a dead letter or a late record may have beside the headers that say where it comes from: by the client's own
  /// limit, and by that of the topics (KIP-1034 says nothing of records that are too large).
  func rejectedRecordBytesMaximum(_ admin: Admin) throws(HeadraceError) -> Int {
    var limit = Int(ProducerConfiguration(client: configuration.client).recordBytesMaximum)
    guard configuration.writesRejectedRecords else { return limit }
    for topic in [plan.deadLetterTopic, plan.lateTopic] {
      let text = try admin.configuration(of: .topic(topic))["max.message.bytes"]?.value
      if let value = text.flatMap({ Int($0) }) { limit = min(limit, value) }
    }
    return max(limit - Self.ownHeadersBytesMaximum, 0)
  }

  /// Names and values of our headers, and what a batch of one record has around it.
  private static let ownHeadersBytesMaximum = 32 << 10

  private var inputTopics: [String] {
    InputPlan.all(of: plan).compactMap { input in
      if case .sources = input.role { input.topic } else { nil }
    }
  }

  func partitionCounts(_ admin: Admin) throws(HeadraceError) -> [String: Int32] {
    var counts: [String: Int32] = [:]
    for topic in try admin.describeCluster().topics where topic.error == nil {
      counts[topic.name] = Int32(clamping: topic.partitions.count)
    }
    return counts
  }

  private func createInputs(_ admin: Admin, _ counts: inout [String: Int32]) throws(HeadraceError) {
    let missing = inputTopics.filter { counts[$0] == nil }
    guard let first = missing.first else { return }
    guard let wanted = configuration.createsSourceTopicsWithPartitions else {
      throw HeadraceError(
        .user, "TOPIC_MISSING", "the topic does not exist", place: missing.joined(separator: ", "),
        remedy:
          "create it with the number of partitions that its other readers expect: headrace topics create \(first) "
          + "--partitions N")
    }
    // As many as the others have: they share their tasks.
    let count = inputTopics.compactMap { counts[$0] }.first ?? wanted
    try create(admin, missing.map { topic(named: $0, count, [:]) })
    for name in missing { counts[name] = count }
  }

  private func commonCount(_ counts: [String: Int32]) throws(HeadraceError) -> Int32 {
    let found = inputTopics.map { ($0, counts[$0] ?? 0) }
    guard let first = found.first, let other = found.first(where: { $0.1 != first.1 }) else {
      return found.first?.1 ?? 1
    }
    throw HeadraceError(
      .user, "PARTITION_COUNTS_DIFFER",
      "\(first.0) has \(first.1) partitions and \(other.0) has \(other.1): one task reads the same partition of both",
      place: plan.name,
      remedy: "copy one of them into a topic with as many partitions as the other, or use two topologies")
  }

  /// Dead-letter, late and repartition topics, with a partition for each task.
  private func createOurs(_ admin: Admin, _ counts: [String: Int32], _ count: Int32) throws(HeadraceError) {
    var wanted: [NewTopic] = []
    if configuration.writesRejectedRecords {
      let retention = [
        "retention.ms": "-1", "retention.bytes": String(configuration.deadLetterRetentionBytes),
        "segment.bytes": String(configuration.deadLetterSegmentBytes),
      ]
      wanted += [plan.deadLetterTopic, plan.lateTopic].map { topic(named: $0, count, retention) }
    }
    for view in plan.views {
      guard let name = view.repartitionTopic else { continue }
      // Its rows are rebuilt from it: it reaches back as far as the topic that they come from.
      let retention = try admin.configuration(of: .topic(plan.sources[view.source].topic))["retention.ms"]?.value
      wanted.append(topic(named: name, count, retention.map { ["retention.ms": $0] } ?? [:]))
    }
    wanted += try predictionTopics(counts, count)
    for topic in wanted {
      guard let found = counts[topic.name] else { continue }
      guard found != count else { continue }
      throw HeadraceError(
        .user, "PARTITION_COUNT_CHANGED",
        "\(topic.name) has \(found) partitions, and the topology's input topics have \(count)", place: plan.name,
        remedy:
          "keys have moved: stop every worker, give the topology another name (or delete its topics, its group and "
          + "the state in \(configuration.dataDirectory)/state/\(plan.name)), and let it read from the beginning"
      )
    }
    try create(admin, wanted.filter { counts[$0.name] == nil } + requestTopics(counts, count))
  }

  func topic(named name: String, _ count: Int32, _ properties: [String: String]) -> NewTopic {
    NewTopic(
      name: name, partitionCount: count, replicationFactor: configuration.replicationFactor, configuration: properties)
  }

  func create(_ admin: Admin, _ topics: [NewTopic]) throws(HeadraceError) {
    for (name, error) in try admin.createTopics(topics) where !error.isKafka(.topicExists) {
      throw error.at(name)
    }
    for topic in topics { logger.info("topic made", metadata: ["topic": "\(topic.name)"]) }
  }

  /// Without copies elsewhere, records that leave the log before a lost disk is noticed are gone.
  private func checkRetention(_ admin: Admin) throws(HeadraceError) {
    for name in inputTopics {
      let properties = try admin.configuration(of: .topic(name))
      guard let text = properties["retention.ms"]?.value, let retention = Int64(text), retention >= 0 else { continue }
      let needed = configuration.retentionMinimumMilliseconds
      guard retention < needed else {
        guard configuration.snapshotStore == nil else { continue }
        logger.warning(
          "the disk is the only copy of state that is older than the topic's retention",
          metadata: ["topic": "\(name)", "retention.ms": "\(retention)"])
        continue
      }
      throw HeadraceError(
        .user, "RETENTION_TOO_SHORT",
        "retention.ms is \(retention), and a restart must find the records of the last \(needed) ms", place: name,
        remedy: "raise retention.ms of the topic to at least \(needed)")
    }
  }
}
