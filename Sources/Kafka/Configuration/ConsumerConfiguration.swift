/// How a `Consumer` reads.
package struct ConsumerConfiguration: Sendable {
  package var client: ClientConfiguration
  /// The consumer group; nil for a reader that is given its partitions and commits nothing.
  package var groupID: String?
  /// Static membership (KIP-345): a member that restarts under the same id within the session time-out gets its
  /// partitions back without a rebalance.
  package var groupInstanceID: String?
  /// Where a partition starts that has no committed offset.
  package var startWithoutCommit: StartWithoutCommit = .earliest
  /// What happens when the log no longer has, or never had, the offset that is due.
  package var outOfRange: OutOfRangePolicy = .fail
  /// How the group shares out its partitions. Every member must name the same.
  package var assignment: AssignmentStrategy = .range
  /// Whether records of open and aborted transactions are delivered. Never set for exactly-once: a consumer that reads
  /// uncommitted also does not wait for offsets that are pending in a transaction (KIP-447).
  package var readsUncommitted = false
  /// The group declares a member dead after this silence, in milliseconds.
  package var sessionTimeoutMilliseconds: Int32 = 10_000
  package var heartbeatIntervalMilliseconds: Int32 = 3_000
  /// The member leaves the group when it does not poll for so long, in milliseconds.
  package var pollIntervalMaximumMilliseconds: Int32 = 300_000
  /// Whether `PollResult.endsReached` names the partitions that are read to their end.
  package var reportsPartitionEnds = false
  /// Whether `PollResult.unreadable` names batches that cannot be expanded; else `poll` throws. Nothing more of the
  /// partition comes before somebody seeks behind them.
  package var reportsUnreadableBatches = false
  /// The most records that one call takes out of the library; they may spread over several partitions.
  package var batchRecordsMaximum = 4_096
  /// Prefetch target, in records; reached or not, the limit below holds.
  package var prefetchRecordsMinimum: Int32 = 1_000_000
  /// Prefetch limit over all partitions, in KiB of keys and values: the consumer's memory (each record costs about 400
  /// bytes beside them), and its back-pressure.
  package var prefetchKibibytesMaximum: Int32 = 65_536
  /// The broker waits this long for `fetchBytesMinimum`, in milliseconds.
  package var fetchWaitMaximumMilliseconds: Int32 = 100
  package var fetchBytesMinimum: Int32 = 1
  /// The most bytes of one partition in one answer.
  package var fetchPartitionBytesMaximum: Int32 = 1 << 20
  /// Whether the broker's CRC-32C of each batch is checked again here.
  package var checksRecordBatches = true

  package init(client: ClientConfiguration, groupID: String?) {
    self.client = client
    self.groupID = groupID
  }

  package enum StartWithoutCommit: Sendable { case earliest, latest, fail }

  /// `fail` throws an error that says which offsets are gone.
  package enum OutOfRangePolicy: Sendable { case fail, earliest, latest }

  /// Eager strategies revoke everything at each rebalance. librdkafka before 2.10 may lose the assignment when an
  /// offset commit meets a cooperative rebalance, and before 2.6.1 may spin in it: stay eager there.
  package enum AssignmentStrategy: String, Sendable {
    case range
    case roundRobin = "roundrobin"
    case cooperativeSticky = "cooperative-sticky"
  }
}
