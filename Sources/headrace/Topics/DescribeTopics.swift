internal import ArgumentParser
internal import Core
internal import Kafka

struct DescribeTopics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Partitions, offsets and settings of topics.",
    discussion: "The end is that of committed records: an open transaction hides what follows it.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: ArgumentHelp("Names of the topics.", valueName: "topic"), transform: TopicName.parse)
  var topics: [String]
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let configuration = try connection.clientConfiguration()
    let admin = try Admin(configuration)
    let reader = try await Confined(on: BlockingThread(name: "describe")) {
      try Consumer(ConsumerConfiguration(client: configuration, groupID: nil))
    }
    let known = try await admin.run { try $0.describeCluster() }.topics
    var descriptions: [TopicDescription] = []
    for name in topics {
      guard let topic = known.first(where: { $0.name == name }) else {
        throw HeadraceError(
          .unknownTopicOrPartition, "there is no such topic", place: name, retry: .never)
      }
      let partitions = topic.partitions.map { TopicPartition(topic: name, partition: $0.id) }
      descriptions.append(
        TopicDescription(
          topic: topic, watermarks: try await reader.run { try $0.watermarks(partitions) },
          settings: try await admin.run { try $0.configuration(of: .topic(name)) }))
    }
    switch output {
    case .table: try StandardOutput.writeAll(Array(descriptions.map(\.table).joined(separator: "\n").utf8))
    case .json:
      var writer = JSONWriter()
      writer.array { writer in for description in descriptions { description.write(to: &writer) } }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}

/// What is known of one topic.
struct TopicDescription {
  var topic: ClusterDescription.Topic
  var watermarks: [TopicPartition: Watermarks]
  var settings: [String: ConfigurationEntry]

  /// Settings of this very topic, and the ones that decide what stays.
  private var shownSettings: [(name: String, value: String)] {
    let always: Set = ["cleanup.policy", "retention.ms", "retention.bytes"]
    return settings.filter { $0.value.isOwn || always.contains($0.key) }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.isSensitive ? "***" : $0.value.value ?? "") }
  }

  var table: String {
    var partitions = Table([
      ("PARTITION", .left), ("LEADER", .right), ("REPLICAS", .left), ("BEGINNING", .right), ("END", .right),
      ("RECORDS", .right),
    ])
    for partition in topic.partitions {
      let marks = watermarks[TopicPartition(topic: topic.name, partition: partition.id)]
      partitions.append([
        "\(topic.name)/\(partition.id)", partition.leader.map { "\($0)" } ?? "none",
        partition.replicas.map { "\($0)" }.joined(separator: ","), marks.map { "\($0.beginning)" } ?? "?",
        marks.map { "\($0.end)" } ?? "?", marks.map { Figures.grouped(Int($0.end - $0.beginning)) } ?? "?",
      ])
    }
    return partitions.text + shownSettings.map { "\($0.name)=\($0.value)\n" }.joined()
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("topic")
      writer.string(topic.name)
      writer.key("partitions")
      writer.array { writer in
        for partition in topic.partitions { write(partition, to: &writer) }
      }
      writer.key("settings")
      writer.object { writer in
        for (name, value) in shownSettings {
          writer.key(name)
          writer.string(value)
        }
      }
    }
  }

  private func write(_ partition: ClusterDescription.Partition, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("partition")
      writer.number(partition.id)
      writer.key("leader")
      if let leader = partition.leader { writer.number(leader) } else { writer.null() }
      writer.key("replicas")
      writer.array { writer in for replica in partition.replicas { writer.number(replica) } }
      guard let marks = watermarks[TopicPartition(topic: topic.name, partition: partition.id)] else { return }
      writer.key("beginning")
      writer.number(marks.beginning)
      writer.key("end")
      writer.number(marks.end)
    }
  }
}
