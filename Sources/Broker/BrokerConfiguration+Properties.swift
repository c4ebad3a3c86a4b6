package import Core

extension BrokerConfiguration {
  /// Sets one property by the name that Apache Kafka gives it in `server.properties`.
  ///
  /// A `log.*` name that is the broker-wide form of a topic setting becomes the default of that setting.
  package mutating func set(property name: String, to value: String) throws(HeadraceError) {
    switch name {
    case "auto.create.topics.enable": topics.isAutoCreated = try Self.boolean(value, name)
    case "num.partitions": topics.partitionCount = Int32(try Self.number(value, name, 1...10_000))
    case "socket.request.max.bytes": limits.frameBytes = Int(try Self.number(value, name, 1_024...1_073_741_824))
    case "queued.max.request.bytes": limits.partialFrameBytes = Int(try Self.number(value, name, 1_048_576...(1 << 40)))
    case "max.connections": limits.connections = Int(try Self.number(value, name, 1...100_000))
    case "max.connections.per.ip": limits.connectionsPerAddress = Int(try Self.number(value, name, 1...100_000))
    case "connections.max.idle.ms": limits.idleMilliseconds = try Self.number(value, name, 1_000...(1 << 40))
    case "fetch.max.bytes": limits.fetchResponseBytes = Int(try Self.number(value, name, 1_024...1_073_741_824))
    case "group.initial.rebalance.delay.ms":
      groups.initialRebalanceDelayMilliseconds = try Self.number(value, name, 0...600_000)
    case "group.min.session.timeout.ms":
      groups.minimumSessionTimeoutMilliseconds = try Self.number(value, name, 1...86_400_000)
    case "group.max.session.timeout.ms":
      groups.maximumSessionTimeoutMilliseconds = try Self.number(value, name, 1...86_400_000)
    case "group.max.size": groups.maximumSize = Int(try Self.number(value, name, 1...1_000_000))
    case "offsets.retention.minutes":
      groups.offsetsRetentionMilliseconds = try Self.number(value, name, 1...(1 << 30)) * 60_000
    case "transaction.max.timeout.ms":
      transactions.maximumTimeoutMilliseconds = try Self.number(value, name, 1...86_400_000)
    case "transactional.id.expiration.ms":
      transactions.identifierExpirationMilliseconds = try Self.number(value, name, 1...(1 << 40))
    case "producer.id.expiration.ms":
      transactions.producerExpirationMilliseconds = try Self.number(value, name, 1...(1 << 40))
    case "log.flush.interval.ms": maintenance.flushIntervalMilliseconds = try Self.number(value, name, 10...86_400_000)
    case "log.retention.check.interval.ms":
      maintenance.retentionCheckIntervalMilliseconds = try Self.number(value, name, 10...86_400_000)
    case "log.cleaner.backoff.ms":
      maintenance.compactionIntervalMilliseconds = try Self.number(value, name, 10...86_400_000)
    case "journal.snapshot.bytes":
      maintenance.journalSnapshotBytes = try Self.number(value, name, 1_024...(1 << 40))
    default: try setTopicDefault(property: name, to: value)
    }
  }

  /// Kafka's broker-wide names of topic settings that are not simply `log.` + the topic's name of it.
  private static let topicNames = [
    "log.roll.ms": "segment.ms", "log.segment.bytes": "segment.bytes", "message.max.bytes": "max.message.bytes",
    "log.cleaner.min.cleanable.ratio": "min.cleanable.dirty.ratio",
    "log.cleaner.delete.retention.ms": "delete.retention.ms",
    "log.cleaner.min.compaction.lag.ms": "min.compaction.lag.ms",
    "log.cleaner.max.compaction.lag.ms": "max.compaction.lag.ms",
    "log.cleanup.policy": "cleanup.policy", "log.retention.ms": "retention.ms",
    "log.retention.bytes": "retention.bytes",
    "log.index.interval.bytes": "index.interval.bytes", "log.message.timestamp.type": "message.timestamp.type",
  ]

  private mutating func setTopicDefault(property name: String, to value: String) throws(HeadraceError) {
    guard let topicName = Self.topicNames[name] else {
      throw HeadraceError(
        .user, "UNKNOWN_PROPERTY", "the broker has no property \(name)",
        remedy: "known are server.properties names such as num.partitions, log.retention.ms, log.segment.bytes")
    }
    topics.overrides[topicName] = value
    _ = try TopicConfiguration.resolved(defaults: topics.overrides, overrides: [:])
  }

  private static func number(_ text: String, _ name: String, _ range: ClosedRange<Int64>) throws(HeadraceError) -> Int64
  {
    guard let value = Int64(text), range.contains(value) else {
      throw HeadraceError(
        .user, "BAD_PROPERTY",
        "\(name): found \(text), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private static func boolean(_ text: String, _ name: String) throws(HeadraceError) -> Bool {
    switch text {
    case "true": return true
    case "false": return false
    default: throw HeadraceError(.user, "BAD_PROPERTY", "\(name): found \(text), expected true or false")
    }
  }
}
