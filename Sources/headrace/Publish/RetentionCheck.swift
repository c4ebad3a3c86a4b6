internal import Core
internal import Contracts

/// Whether a topic would delete what is published into it. A value: settings and observations in, warnings out.
struct RetentionCheck: Sendable {
  private let topic: String
  private let retentionMilliseconds: Int64
  private let retentionBytes: Int64
  private let isDeleting: Bool
  private let replacesTimestamps: Bool
  private let partitionCount: Int64
  private var hasWarnedOfTime = false
  private var hasWarnedOfSize = false

  /// - Parameter settings: the topic's configuration by name, in Kafka's words.
  init(topic: String, settings: [String: String], partitionCount: Int32) {
    self.topic = topic
    let policies = (settings["cleanup.policy"] ?? "delete").split(separator: ",").map { $0.filter { $0 != " " } }
    isDeleting = policies.contains("delete")
    isCompacted = policies.contains("compact")
    retentionMilliseconds = settings["retention.ms"].flatMap { Int64($0) } ?? -1
    retentionBytes = settings["retention.bytes"].flatMap { Int64($0) } ?? -1
    replacesTimestamps = settings["message.timestamp.type"] == "LogAppendTime"
    self.partitionCount = Int64(max(partitionCount, 1))
  }

  let isCompacted: Bool

  /// What is wrong whatever the events are.
  func warnings(hasKey: Bool, hasEventTime: Bool) -> [String] {
    var warnings: [String] = []
    if isCompacted {
      warnings.append(
        hasKey
          ? "\(topic) is compacted (cleanup.policy): of each key only the newest record stays"
          : "\(topic) is compacted (cleanup.policy) and takes no record without key: give --key")
    }
    if replacesTimestamps && hasEventTime {
      warnings.append(
        "\(topic) replaces record timestamps by its own clock (message.timestamp.type=LogAppendTime): "
          + "event times stay in the records only")
    }
    return warnings
  }

  /// - Parameters:
  ///   - oldestMilliseconds: the oldest event time so far, epoch milliseconds.
  ///   - publishedBytes: so far, over all partitions.
  ///   - nowMilliseconds: of the wall clock.
  /// - Returns: each warning once.
  mutating func observe(
    oldestMilliseconds: Int64?, publishedBytes: Int, nowMilliseconds: Int64
  ) -> [String] {
    guard isDeleting else { return [] }
    var warnings: [String] = []
    if !hasWarnedOfTime, !replacesTimestamps, retentionMilliseconds >= 0, let oldestMilliseconds,
      oldestMilliseconds < nowMilliseconds - retentionMilliseconds
    {
      hasWarnedOfTime = true
      warnings.append(
        "\(topic) deletes records older than \(Figures.age(milliseconds: retentionMilliseconds)) (retention.ms="
          + "\(retentionMilliseconds)), and the events go back to \(RFC3339.text(milliseconds: oldestMilliseconds)): "
          + "set retention.ms=-1 on the topic, or publish to a new one")
    }
    if !hasWarnedOfSize, retentionBytes >= 0, Int64(publishedBytes) / partitionCount > retentionBytes {
      hasWarnedOfSize = true
      warnings.append(
        "\(topic) keeps \(Figures.bytes(Double(retentionBytes))) a partition (retention.bytes=\(retentionBytes)), "
          + "and more is published: set retention.bytes=-1 on the topic")
    }
    return warnings
  }
}

extension Figures {
  /// `7 days`, `36 hours`: the largest unit that fits without rest.
  static func age(milliseconds: Int64) -> String {
    let units: [(String, Int64)] = [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)]
    for (name, length) in units where milliseconds >= length && milliseconds % length == 0 {
      let count = milliseconds / length
      return "\(count) \(name)\(count == 1 ? "" : "s")"
    }
    return "\(milliseconds) ms"
  }
}
