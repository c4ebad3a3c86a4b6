internal import Core

/// Whether topics are as a topology needs them: there, co-partitioned, kept long enough, honest about time.
enum TopicChecks {
  /// What a topology asks of a topic, and what the broker says of it.
  struct Topic: Sendable {
    var name: String
    /// The source that reads it.
    var source: String
    /// nil: it does not exist.
    var partitionCount: Int?
    var settings: [String: String] = [:]
    /// Why the broker does not show it.
    var failure: String?
  }

  /// - Parameters:
  ///   - isAny: sources for which no rule says where a key is: their partition counts may differ.
  ///   - retentionMinimum: milliseconds; with less a worker refuses to start.
  static func all(
    _ topics: [Topic], unpartitioned isAny: Set<String> = [], retentionMinimum: Int64 = 0
  ) -> [Finding] {
    topics.flatMap { judge($0, retentionMinimum) } + coPartitioning(topics.filter { !isAny.contains($0.source) })
  }

  private static func judge(_ topic: Topic, _ retentionMinimum: Int64) -> [Finding] {
    let subject = "topic \(topic.name)"
    if let failure = topic.failure {
      return [Finding(subject, .error, failure, fix: "allow this user to read and describe it")]
    }
    guard let count = topic.partitionCount else {
      return [
        Finding(
          subject, .error, "it does not exist",
          fix: "headrace topics create \(topic.name) --partitions 4 --config retention.ms=-1; `headrace dev` makes it")
      ]
    }
    let problems = retention(topic.settings, subject, minimum: retentionMinimum) + timestamps(topic, subject)
    return problems.isEmpty
      ? [.ok(subject, "\(count) partitions, keeps its records, read by \(topic.source)")] : problems
  }

  /// Whether what a worker may have to read again is kept.
  static func retention(_ settings: [String: String], _ subject: String, minimum: Int64) -> [Finding] {
    if settings["cleanup.policy"]?.contains("compact") == true {
      return [
        Finding(
          subject, .error, "it is compacted: records that are not the newest of their key go away",
          fix: "headrace reads events; set cleanup.policy=delete and write them again")
      ]
    }
    guard let text = settings["retention.ms"], let milliseconds = Int64(text), milliseconds >= 0 else {
      return []
    }
    if milliseconds < minimum {
      return [
        Finding(
          subject, .error,
          "records go away after \(Figures.age(milliseconds: milliseconds)) (retention.ms), and a restart must find "
            + "those of the last \(Figures.age(milliseconds: minimum)): workers refuse to start",
          fix: "retention.ms=-1, or at least \(minimum)")
      ]
    }
    return [
      Finding(
        subject, .warning, "records go away after \(Figures.age(milliseconds: milliseconds)) (retention.ms)",
        fix:
          "state that is lost can be rebuilt only from what is kept: retention.ms=-1, or longer than the longest window"
      )
    ]
  }

  /// Records that are set aside keep the times of their events: an age takes away old ones as soon as they are written.
  static func rejected(_ topic: Topic) -> [Finding] {
    let subject = "topic \(topic.name)"
    if let failure = topic.failure {
      return [Finding(subject, .error, failure, fix: "allow this user to read and describe it")]
    }
    guard let text = topic.settings["retention.ms"], let milliseconds = Int64(text), milliseconds >= 0,
      topic.settings["message.timestamp.type"] != "LogAppendTime"
    else { return [] }
    return [
      Finding(
        subject, .warning,
        "records go away \(Figures.age(milliseconds: milliseconds)) (retention.ms) after the time of their event: "
          + "what is wrong in old events is hardly kept",
        fix: "set retention.ms=-1 and a retention.bytes, as headrace does where it makes the topic")
    ]
  }

  private static func timestamps(_ topic: Topic, _ subject: String) -> [Finding] {
    if topic.settings["message.timestamp.type"] == "LogAppendTime" { return [] }
    guard let text = topic.settings["message.timestamp.after.max.ms"], let limit = Int64(text), limit > 3_600_000 else {
      return []
    }
    return [
      Finding(
        subject, .warning, "records may be stamped with any time in the future (message.timestamp.after.max.ms)",
        fix: "set message.timestamp.after.max.ms=300000, so that one wrong clock cannot make all other events late")
    ]
  }

  private static func coPartitioning(_ topics: [Topic]) -> [Finding] {
    let counts = topics.compactMap { topic in topic.partitionCount.map { (topic.name, $0) } }
    guard Set(counts.map(\.1)).count > 1 else { return [] }
    let text = counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    return [
      Finding(
        "partitions", .error, "sources of one topology need as many partitions each; found \(text)",
        fix: "make the smaller topics anew with as many partitions, or declare `partitioner: any` for their sources")
    ]
  }
}
