internal import ArgumentParser
internal import Core
internal import Kafka

struct TopicsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics", abstract: "List, create, describe and delete topics.",
    subcommands: [ListTopics.self, CreateTopics.self, DescribeTopics.self, DeleteTopics.self],
    defaultSubcommand: ListTopics.self)
}

struct ListTopics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Names and partition counts.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Option(help: "table or json.") var output = OutputFormat.table
  @Flag(help: "Also those that brokers keep for themselves (names that begin with two underscores).") var all = false

  func run() async throws {
    let admin = try Admin(try connection.clientConfiguration())
    let topics = try await admin.run { try $0.describeCluster() }.topics
      .filter { all || !$0.name.hasPrefix("__") }
    switch output {
    case .table:
      var table = Table([("TOPIC", .left), ("PARTITIONS", .right)])
      for topic in topics { table.append([topic.name, "\(topic.partitions.count)"]) }
      try StandardOutput.writeAll(Array(table.text.utf8))
    case .json:
      var writer = JSONWriter()
      writer.array { writer in
        for topic in topics {
          writer.object { writer in
            writer.key("topic")
            writer.string(topic.name)
            writer.key("partitions")
            writer.number(topic.partitions.count)
          }
        }
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}

struct CreateTopics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create topics.",
    discussion:
      "What is not configured is the broker's default; topics that `publish` makes keep their records for ever.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: ArgumentHelp("Names of the topics.", valueName: "topic"), transform: TopicName.parse)
  var topics: [String]
  @Option(help: "How many partitions each gets.") var partitions: Int32 = 1
  @Option(help: "On how many brokers each partition is kept.") var replicationFactor: Int32 = 1
  @Option(
    name: .customLong("config"),
    help: ArgumentHelp("A topic setting, such as retention.ms=-1; repeatable.", valueName: "name=value"))
  var settings: [String] = []
  @Flag(help: "A topic that exists already is no error.") var ifNotExists = false

  func validate() throws {
    guard partitions > 0 else { throw ValidationError("--partitions \(partitions): expected at least 1") }
    guard replicationFactor > 0 else { throw ValidationError("--replication-factor: expected at least 1") }
    _ = try configuration()
  }

  func run() async throws {
    let configuration = try configuration()
    let new = topics.map {
      NewTopic(
        name: $0, partitionCount: partitions, replicationFactor: replicationFactor, configuration: configuration)
    }
    let admin = try Admin(try connection.clientConfiguration())
    var failures = try await admin.run { try $0.createTopics(new) }
    if ifNotExists { failures = failures.filter { !$0.value.isKafka(.topicExists) } }
    try report(failures)
  }

  private func configuration() throws -> [String: String] {
    var configuration: [String: String] = [:]
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError("--config \(setting): expected NAME=VALUE, such as retention.ms=-1")
      }
      configuration[String(parts[0])] = String(parts[1])
    }
    return configuration
  }
}

struct DeleteTopics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete topics with all their records.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: ArgumentHelp("Names of the topics.", valueName: "topic"), transform: TopicName.parse)
  var topics: [String]
  @Flag(help: "A topic that does not exist is no error.") var ifExists = false

  func run() async throws {
    let admin = try Admin(try connection.clientConfiguration())
    var failures = try await admin.run { [topics] in try $0.deleteTopics(topics) }
    if ifExists { failures = failures.filter { !$0.value.isKafka(.unknownTopicOrPartition) } }
    try report(failures)
  }
}

/// Names each topic that failed, and why; the others are done.
private func report(_ failures: [String: HeadraceError]) throws {
  guard let first = failures.values.first else { return }
  for (_, error) in failures.sorted(by: { $0.key < $1.key }) { StandardError.write("error: \(error)") }
  throw Ended(status: failures.values.allSatisfy(\.isUnreachable) ? ExitStatus(first) : .failed)
}
