internal import ArgumentParser
internal import Contracts
internal import Core
internal import Kafka

struct ConsumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consume",
    abstract: "Print the records of a topic.",
    discussion: """
      Reads without a consumer group, so that nobody else is disturbed and nothing is committed. Without --until and \
      --count it follows the topic until it is stopped.

      --output json prints one object a line: topic, partition, offset, timestamp (epoch milliseconds), key, \
      headers, value. A value that is valid JSON is embedded as it is; other text is a string, and value_encoding \
      says "string"; other bytes are Base64, and value_encoding says "base64"; a tombstone is null, and \
      value_encoding says "none". Keys and headers are strings, or Base64 with key_encoding or encoding "base64". \
      --output raw prints the bytes of the value and a line feed.

      Records of one partition come in their order, those of different partitions as they arrive. \(ExitStatus.help) A \
      closed stdout ends the command with 0.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case json, raw }
  enum Isolation: String, ExpressibleByArgument, CaseIterable { case committed, uncommitted }

  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  @Argument(help: "The topic to read.", transform: TopicName.parse) var topic: String

  @Option(
    help: ArgumentHelp(
      "beginning, end, an offset, or a time (RFC 3339, or a date): the first record that is not older.",
      valueName: "position"))
  var from = ConsumePosition.beginning

  @Option(
    help: ArgumentHelp(
      "end, an offset, or a time: stop before it. Times and the end are looked up once, at the start.",
      valueName: "position"))
  var until: ConsumePosition?

  @Option(help: "Stop after so many records.") var count: Int?
  @Option(help: "json or raw.") var output = Output.json
  @Option(parsing: .upToNextOption, help: "Only these partitions.") var partition: [Int32] = []
  @Option(help: "committed hides the records of open and aborted transactions.") var isolation = Isolation.committed

  func validate() throws {
    if until == .beginning { throw ValidationError("--until beginning: there is nothing before the beginning") }
    if let count, count < 0 { throw ValidationError("--count \(count): expected 0 or more") }
    if let wrong = partition.first(where: { $0 < 0 }) {
      throw ValidationError("--partition \(wrong): expected 0 or more")
    }
  }

  func run() async throws {
    let plan = Consumption.Plan(
      topic: topic, partitions: Set(partition), from: from, until: until, countMax: count, output: output,
      readsUncommitted: isolation == .uncommitted)
    let client = try connection.clientConfiguration()
    let thread = try BlockingThread(name: "consume")
    let status = try await thread.run { try Consumption(plan, client).run() }
    guard status == .success else { throw Ended(status: status) }
  }
}

/// A place in a topic, as flags name it.
enum ConsumePosition: ExpressibleByArgument, Equatable, Sendable {
  case beginning
  case end
  case offset(Int64)
  /// Epoch milliseconds.
  case time(Int64)

  init?(argument: String) {
    switch argument {
    case "beginning", "earliest": self = .beginning
    case "end", "latest": self = .end
    default:
      if let offset = Int64(argument), offset >= 0 {
        self = .offset(offset)
      } else if let milliseconds = RFC3339.milliseconds(argument), milliseconds >= 0 {
        self = .time(milliseconds)
      } else {
        return nil
      }
    }
  }

  var defaultValueDescription: String {
    switch self {
    case .beginning: "beginning"
    case .end: "end"
    case .offset(let offset): "\(offset)"
    case .time(let milliseconds): RFC3339.text(milliseconds: milliseconds)
    }
  }
}
