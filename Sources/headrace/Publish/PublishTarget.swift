internal import Core
internal import Kafka

/// The topic that is published to, as it is before the first record.
struct PublishTarget: Sendable {
  var partitionCount: Int32
  var isNew: Bool
  /// By name, in Kafka's words.
  var settings: [String: String]
}

extension PublishTarget {
  /// Finds the topic, or makes it.
  static func prepare(_ plan: Publication.Plan, _ admin: Admin) async throws -> PublishTarget {
    if let existing = try await find(plan, admin) { return existing }
    let new = NewTopic(
      name: plan.topic, partitionCount: plan.partitionCount ?? 1, configuration: ["retention.ms": "-1"])
    do {
      try await admin.run { try $0.createTopic(new) }
    } catch let error as HeadraceError where error.isKafka(.topicExists) {
      // Somebody else was faster.
      if let existing = try await find(plan, admin) { return existing }
      throw error
    }
    StandardError.write("made topic \(plan.topic): \(new.partitionCount) partitions, retention.ms=-1")
    return PublishTarget(partitionCount: new.partitionCount, isNew: true, settings: new.configuration)
  }

  private static func find(_ plan: Publication.Plan, _ admin: Admin) async throws -> PublishTarget? {
    // All topics, because asking for one may make it.
    let topics = try await admin.run { try $0.describeCluster() }.topics
    guard let topic = topics.first(where: { $0.name == plan.topic }) else { return nil }
    let count = Int32(topic.partitions.count)
    if let wanted = plan.partitionCount, wanted != count {
      throw HeadraceError(
        .user, "PARTITION_COUNT", "the topic has \(count) partitions, --partitions says \(wanted)", place: plan.topic,
        remedy: "leave --partitions out, or publish to a new topic")
    }
    let entries = try await admin.run { try $0.configuration(of: .topic(plan.topic)) }
    return PublishTarget(partitionCount: count, isNew: false, settings: entries.compactMapValues(\.value))
  }
}
