package import Core

/// The settings of topics: Kafka's names and meanings, with this broker's default of deleting nothing.
package enum TopicConfiguration {
  /// Everything that CreateTopics and AlterConfigs accept and DescribeConfigs shows, sorted by name.
  package static let settings: [TopicSetting] = (effective + accepted).sorted { $0.name < $1.name }

  /// What a topic's settings come to.
  /// - Parameters:
  ///   - defaults: the broker's settings for all topics, under the topics' names of them.
  ///   - overrides: the topic's own.
  /// - Throws: `INVALID_CONFIG` for a name that is unknown and for a value that is none.
  package static func resolved(
    defaults: [String: String], overrides: [String: String]
  ) throws(HeadraceError) -> LogConfiguration {
    var configuration = LogConfiguration()
    for source in [defaults, overrides] {
      for (name, value) in source.sorted(by: { $0.key < $1.key }) {
        guard let setting = byName[name] else {
          throw HeadraceError(.user, "INVALID_CONFIG", "unknown topic setting \(name)")
        }
        try setting.apply(value, to: &configuration)
      }
    }
    guard configuration.minCompactionLagMilliseconds <= configuration.maxCompactionLagMilliseconds else {
      throw HeadraceError(
        .user, "INVALID_CONFIG",
        "min.compaction.lag.ms (\(configuration.minCompactionLagMilliseconds)) is larger than max.compaction.lag.ms "
          + "(\(configuration.maxCompactionLagMilliseconds))")
    }
    return configuration
  }

  private static let byName = Dictionary(uniqueKeysWithValues: settings.map { ($0.name, $0) })
  private static let notNegative: ClosedRange<Int64> = 0...Int64.max
  private static let unlimited: ClosedRange<Int64> = -1...Int64.max
  private static let forever = "9223372036854775807"

  private static let effective: [TopicSetting] = [
    TopicSetting(
      name: "cleanup.policy", brokerName: "log.cleanup.policy", defaultValue: "delete",
      documentation:
        "delete: old segments go when retention.ms or retention.bytes says so. compact: the newest record of each "
        + "key stays. Both may be given.",
      meaning: .cleanupPolicy),
    TopicSetting(
      name: "compression.type", brokerName: "compression.type", defaultValue: "producer",
      documentation: "The codec of stored batches; producer keeps what was sent.", meaning: .compressionType),
    TopicSetting(
      name: "delete.retention.ms", brokerName: "log.cleaner.delete.retention.ms", defaultValue: "86400000",
      documentation: "How long a tombstone stays readable after it was first compacted.",
      meaning: .milliseconds(\.deleteRetentionMilliseconds, notNegative)),
    TopicSetting(
      name: "index.interval.bytes", brokerName: "log.index.interval.bytes", defaultValue: "4096",
      documentation: "Bytes of log between two entries of a segment's index.",
      meaning: .bytes(\.indexIntervalBytes, 0...Int64(Int32.max))),
    TopicSetting(
      name: "max.compaction.lag.ms", brokerName: "log.cleaner.max.compaction.lag.ms", defaultValue: forever,
      documentation: "The age at which a record is compacted at the latest.",
      meaning: .milliseconds(\.maxCompactionLagMilliseconds, 1...Int64.max)),
    TopicSetting(
      name: "max.message.bytes", brokerName: "message.max.bytes", defaultValue: "1048588",
      documentation: "The largest batch in bytes, after compression.",
      meaning: .bytes(\.maxMessageBytes, 0...Int64(Int32.max))),
    TopicSetting(
      name: "message.timestamp.after.max.ms", brokerName: "log.message.timestamp.after.max.ms", defaultValue: forever,
      documentation: "How far a record's timestamp may lie after the broker's clock.",
      meaning: .milliseconds(\.timestampAfterMaxMilliseconds, notNegative)),
    TopicSetting(
      name: "message.timestamp.before.max.ms", brokerName: "log.message.timestamp.before.max.ms", defaultValue: forever,
      documentation: "How far a record's timestamp may lie before the broker's clock.",
      meaning: .milliseconds(\.timestampBeforeMaxMilliseconds, notNegative)),
    TopicSetting(
      name: "message.timestamp.type", brokerName: "log.message.timestamp.type", defaultValue: "CreateTime",
      documentation: "CreateTime keeps the producer's timestamps; LogAppendTime replaces them by the broker's clock.",
      meaning: .timestampType),
    TopicSetting(
      name: "min.cleanable.dirty.ratio", brokerName: "log.cleaner.min.cleanable.ratio", defaultValue: "0.5",
      documentation: "The share of not yet compacted bytes from which the log is compacted.",
      meaning: .ratio(\.minCleanableDirtyRatio)),
    TopicSetting(
      name: "min.compaction.lag.ms", brokerName: "log.cleaner.min.compaction.lag.ms", defaultValue: "0",
      documentation: "The age before which a record is not compacted away.",
      meaning: .milliseconds(\.minCompactionLagMilliseconds, notNegative)),
    TopicSetting(
      name: "retention.bytes", brokerName: "log.retention.bytes", defaultValue: "-1",
      documentation: "The size of a partition above which its oldest segments go; -1 keeps all.",
      meaning: .count(\.retentionBytes, unlimited)),
    TopicSetting(
      name: "retention.ms", brokerName: "log.retention.ms", defaultValue: "-1",
      documentation: "The age of its newest record at which a segment goes; -1 keeps all.",
      meaning: .milliseconds(\.retentionMilliseconds, unlimited)),
    TopicSetting(
      name: "segment.bytes", brokerName: "log.segment.bytes", defaultValue: "134217728",
      documentation: "The size at which a segment is closed. Retention and compaction work on closed segments.",
      meaning: .bytes(\.segmentBytes, 14...Int64(Int32.max))),
    TopicSetting(
      name: "segment.ms", brokerName: "log.roll.ms", defaultValue: "604800000",
      documentation: "The time from its first record at which a segment is closed.",
      meaning: .milliseconds(\.segmentMilliseconds, 1...Int64.max)),
  ]

  private static let accepted: [TopicSetting] = [
    ignored("file.delete.delay.ms", "log.segment.delete.delay.ms", "60000", .int64),
    ignored("flush.messages", "log.flush.interval.messages", forever, .int64),
    ignored("flush.ms", "log.flush.interval.ms", forever, .int64),
    ignored("min.insync.replicas", "min.insync.replicas", "1", .int32),
    ignored("preallocate", "log.preallocate", "false", .boolean),
    ignored("segment.index.bytes", "log.index.size.max.bytes", "10485760", .int32),
    ignored("segment.jitter.ms", "log.roll.jitter.ms", "0", .int64),
    ignored("unclean.leader.election.enable", "unclean.leader.election.enable", "false", .boolean),
  ]

  private static func ignored(
    _ name: String, _ brokerName: String, _ defaultValue: String, _ kind: ConfigValueKind
  ) -> TopicSetting {
    TopicSetting(
      name: name, brokerName: brokerName, defaultValue: defaultValue,
      documentation: "Accepted without effect: a single node has no use for it.", meaning: .ignored(kind))
  }
}
