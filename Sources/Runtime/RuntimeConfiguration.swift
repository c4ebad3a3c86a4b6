package import Cost
package import Kafka
package import Storage
package import Telemetry

/// Everything that can be set about the workers of a process. Defaults live here and nowhere else.
package struct RuntimeConfiguration: Sendable {
  /// How brokers are reached.
  package var client: ClientConfiguration
  /// All local state lies below it; made when missing.
  package var dataDirectory: String
  /// Threads that read and apply. Each is a member of the group of its own.
  package var workers = 1
  /// How often outputs and offsets are committed. A commit that takes long is followed by a longer pause.
  package var commitIntervalMilliseconds: Int64 = 100
  /// How often the state is saved.
  package var checkpointIntervalMilliseconds: Int64 = 10_000
  /// A task is saved early when so much of its state is not on the disk.
  package var dirtyBytesMaximum = 128 << 20
  /// The memory tables of all tasks together.
  package var memoryBudgetBytes = 512 << 20
  /// The uncompressed blocks of all tasks together.
  package var blockCacheBytes = 128 << 20
  /// Room on the disk of the data directory that is kept free, and again as much in a file that is given up when the
  /// disk is full all the same: RocksDB may end the process when it finds no room at all. 0: none.
  package var diskReserveBytes: Int64 = 64 << 20
  /// The group declares a worker dead after this silence.
  package var sessionTimeoutMilliseconds: Int32 = 10_000
  /// The coordinator aborts a transaction that is open for longer; no call of a commit waits for longer.
  package var transactionTimeoutMilliseconds: Int32 = 10_000
  /// The most records that a worker takes at once.
  package var batchRecordsMaximum = 1_024
  /// Outputs of one task that wait for their commit; more of them, and the task is not read from.
  package var outputBytesMaximum = 16 << 20
  /// Event times so far beyond their record's timestamp go to the dead-letter topic, unless the source says another.
  package var maximumSkewMilliseconds: Int64 = 300_000
  /// How long an input partition is quiet until repartitioned views no longer wait for its watermark.
  package var idleAfterMilliseconds: Int64 = 60_000
  /// Partitions of source topics that are made because they are missing; nil: a missing topic is an error.
  package var createsSourceTopicsWithPartitions: Int32?
  /// Copies of the topics that are made.
  package var replicationFactor: Int32 = 1
  /// What each partition of the dead-letter and late topics keeps (Kafka's `retention.bytes`). By size, not by age:
  /// their records have the timestamps of their events, and by age those of old events would go away at once.
  package var deadLetterRetentionBytes: Int64 = 1 << 30
  /// Kafka's `segment.bytes` of these topics: in such steps the oldest go.
  package var deadLetterSegmentBytes: Int64 = 128 << 20
  /// Whether bad and late records are written to their topics. Without them, and without repartitioned views, a
  /// topology writes nothing to Kafka and commits without transactions.
  package var writesRejectedRecords = true
  /// Where tables are; nil: there are none, and nothing is archived.
  package var tableStore: (any BlobStore)?
  /// Where snapshots of the state are; nil: none are taken, and the state is on this machine's disk alone.
  package var snapshotStore: (any BlobStore)?
  /// How often a task's state goes there.
  package var snapshotIntervalMilliseconds: Int64 = 300_000
  /// How old rows may be that are in no table yet.
  package var tableFreshnessMilliseconds: Int64 = 20_000
  /// So many bytes of waiting rows are a file, however young they are.
  package var tableFileBytesMaximum: Int64 = 128 << 20
  /// How many served vectors a second are logged at most, of each service; 0: none.
  package var paritySamplesPerSecond = 1
  /// How often what was used is written to the table `usage`, and held against budgets.
  package var usageIntervalMilliseconds: Int64 = 60_000
  /// With it budgets are watched; nil: usage is counted, and priced by whoever asks.
  package var prices: PriceBook?
  /// Where spans go; without an address nothing is traced.
  package var telemetry = TelemetryConfiguration()
  /// What a person has allowed for this one start.
  package var acceptances = TaskProtocol.Acceptances()
  /// Whether the control topic decides which plan runs. Without it the plan of this process runs, and no other.
  package var followsControlTopic = true
  /// Replaces a plan in the control topic that differs from the one of this process.
  package var appliesPlan = false

  /// The least `retention.ms` of a source's topic: three times what lies between two copies of the state and a restart
  /// that takes its time, with a person in it. A restart must find every record since the last checkpoint, and where
  /// there are snapshots, since the last of those: the disk may be lost.
  package var retentionMinimumMilliseconds: Int64 {
    let copies = snapshotStore == nil ? checkpointIntervalMilliseconds : snapshotIntervalMilliseconds
    return 3 * (max(copies, checkpointIntervalMilliseconds) + Self.recoveryMilliseconds)
  }

  private static let recoveryMilliseconds: Int64 = 600_000

  package init(client: ClientConfiguration, dataDirectory: String) {
    self.client = client
    self.dataDirectory = dataDirectory
  }
}
