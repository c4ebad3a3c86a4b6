/// The limits of consumer groups; each names the Kafka setting that it stands for.
struct GroupConfiguration: Sendable, Equatable {
  /// `group.min.session.timeout.ms`. Kafka's own default is 6,000; a broker on the same machine can promise more.
  var sessionTimeoutMillisecondsMinimum: Int64 = 1_000
  /// `group.max.session.timeout.ms`.
  var sessionTimeoutMillisecondsMaximum: Int64 = 1_800_000
  /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members than the first.
  var initialRebalanceDelayMilliseconds: Int64 = 0
  /// `group.max.size`.
  var membersMaximum = 10_000
  /// How long a new member may wait in its first JoinGroup before it is given up: its connection may be gone, and it
  /// cannot send heartbeats before it knows its member id.
  var newMemberJoinTimeoutMilliseconds: Int64 = 300_000
  /// `offset.metadata.max.bytes`.
  var offsetMetadataBytesMaximum = 4_096
  /// `offsets.retention.minutes`, in milliseconds; nil keeps the offsets of empty groups for ever.
  var offsetsRetentionMilliseconds: Int64?
  /// `offsets.retention.check.interval.ms`.
  var offsetsRetentionCheckMilliseconds: Int64 = 600_000
}
