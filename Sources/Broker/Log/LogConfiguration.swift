package import Codecs

/// What a topic's settings mean for the log of one of its partitions. Names and defaults follow Kafka's, but nothing is
/// deleted unless somebody asks for it.
package struct LogConfiguration: Equatable, Sendable {
  package struct CleanupPolicy: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let delete = CleanupPolicy(rawValue: 1)
    package static let compact = CleanupPolicy(rawValue: 2)
  }

  package enum TimestampType: String, Sendable {
    case createTime = "CreateTime"
    case logAppendTime = "LogAppendTime"
  }

  package enum CompressionType: Equatable, Sendable {
    /// As it was sent.
    case producer
    case codec(CompressionCodec)
  }

  package var cleanupPolicy: CleanupPolicy = .delete
  package var compressionType = CompressionType.producer
  /// The largest batch in bytes, header included.
  package var maxMessageBytes = 1_048_588
  package var timestampType = TimestampType.createTime
  /// How far a record's timestamp may lie before the broker's clock.
  package var timestampBeforeMaxMilliseconds = Int64.max
  /// How far a record's timestamp may lie after the broker's clock.
  package var timestampAfterMaxMilliseconds = Int64.max

  /// A segment is closed before it would exceed this size.
  package var segmentBytes = 128 << 20
  /// A segment is closed when this much time has passed since its first record's timestamp.
  package var segmentMilliseconds: Int64 = 7 * 86_400_000
  /// Bytes of log between two entries of the sparse index.
  package var indexIntervalBytes = 4_096

  /// -1: never by age.
  package var retentionMilliseconds: Int64 = -1
  /// -1: never by size.
  package var retentionBytes: Int64 = -1

  /// The share of not yet compacted bytes from which compaction is worth its reading.
  package var minCleanableDirtyRatio = 0.5
  /// A record is not compacted away before this age.
  package var minCompactionLagMilliseconds: Int64 = 0
  /// A record is compacted at the latest at this age, whatever the dirty ratio.
  package var maxCompactionLagMilliseconds = Int64.max
  /// How long a tombstone or a transaction's marker stays readable after it was first compacted.
  package var deleteRetentionMilliseconds: Int64 = 86_400_000

  /// An idle producer id is forgotten after this time, but never with a transaction open.
  package var producerIDExpirationMilliseconds: Int64 = 86_400_000

  package init() {}

  /// A compacted topic closes its segments in time for `max.compaction.lag.ms`.
  var effectiveSegmentMilliseconds: Int64 {
    cleanupPolicy.contains(.compact) ? min(segmentMilliseconds, maxCompactionLagMilliseconds) : segmentMilliseconds
  }

  /// The timestamps that a producer may send now.
  func allowedTimestamps(nowMilliseconds: Int64) -> ClosedRange<Int64> {
    guard timestampType == .createTime else { return Int64.min...Int64.max }
    let (lower, underflows) = nowMilliseconds.subtractingReportingOverflow(timestampBeforeMaxMilliseconds)
    let (upper, overflows) = nowMilliseconds.addingReportingOverflow(timestampAfterMaxMilliseconds)
    let first = underflows || timestampBeforeMaxMilliseconds == .max ? Int64.min : lower
    return first...max(first, overflows ? Int64.max : upper)
  }
}
