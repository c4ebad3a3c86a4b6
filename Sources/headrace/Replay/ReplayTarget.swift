internal import Core
internal import Kafka
internal import Topology

/// The topic that events are replayed into.
struct ReplayTarget: Sendable {
  var topic: String
  var partitionCount: Int32
  /// By name, in Kafka's words.
  var settings: [String: String]
  /// Under which progress is kept.
  var name: String

  /// The group that progress is committed for, and the transactional id.
  var group: String { "headrace-replay-\(name)" }

  /// Finds the topic, or makes it.
  ///
  /// - Throws: REPLAY_INTO_TOPOLOGY for a topic of the topology itself.
  static func prepare(
    _ topic: String, _ selection: ReplaySelection, partitions: Int32?, name: String, _ admin: Admin
  ) async throws -> ReplayTarget {
    if let own = selection.plan.topics.first(where: { $0.name == topic }) {
      throw HeadraceError(
        .user, "REPLAY_INTO_TOPOLOGY",
        "the topology has this topic itself (\(own.role.rawValue)): it would read its "
          + "own past as news", place: topic,
        remedy: "replay into another topic, and read that one with a topology of another name")
    }
    let topics = try await admin.run { try $0.describeCluster() }.topics.filter { $0.error == nil }
    if let existing = topics.first(where: { $0.name == topic }) {
      let count = Int32(clamping: existing.partitions.count)
      if let partitions, partitions != count {
        throw HeadraceError(
          .user, "PARTITION_COUNT", "the topic has \(count) partitions, --partitions says \(partitions)", place: topic,
          remedy: "leave --partitions out, or replay into a new topic")
      }
      let settings = try await admin.run { try $0.configuration(of: .topic(topic)) }.compactMapValues(\.value)
      return ReplayTarget(topic: topic, partitionCount: count, settings: settings, name: name)
    }
    let sources = selection.sources.map { selection.plan.sources[$0].topic }
    let found = topics.filter { sources.contains($0.name) }.map { Int32(clamping: $0.partitions.count) }
    let count = partitions ?? found.max() ?? 1
    let settings = ["retention.ms": "-1"]
    try await admin.run { try $0.createTopic(NewTopic(name: topic, partitionCount: count, configuration: settings)) }
    StandardError.write("made topic \(topic): \(count) partitions, retention.ms=-1")
    return ReplayTarget(topic: topic, partitionCount: count, settings: settings, name: name)
  }
}
