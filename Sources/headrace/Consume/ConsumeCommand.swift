internal import ArgumentParser
internal import Contracts
internal import Core
internal import Kafka
internal import Logging

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

      With --format avro or avro-confluent a value that its schema reads is shown as JSON, numbers, text, lists and \
      records as JSON has them; one that it does not read is shown as it is.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case json, raw }
  /// How values are written.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case any, avro
    case avroConfluent = "avro-confluent"
  }
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
  @Option(help: "any shows values as they are; avro and avro-confluent turn them into JSON.") var format = Format.any
  @Option(help: ArgumentHelp("The schema of the values, of --format avro.", valueName: "file")) var schema: String?
  @OptionGroup var registry: SchemaRegistryOptions
  @Option(parsing: .upToNextOption, help: "Only these partitions.") var partition: [Int32] = []
  @Option(help: "committed hides the records of open and aborted transactions.") var isolation = Isolation.committed

  func validate() throws {
    if until == .beginning { throw ValidationError("--until beginning: there is nothing before the beginning") }
    if format == .avro, schema == nil { throw ValidationError("--format avro needs --schema FILE") }
    if format == .avroConfluent, registry.url == nil {
      throw ValidationError("--format avro-confluent needs --schema-registry URL, or HEADRACE_SCHEMA_REGISTRY")
    }
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
    let schemas = format == .avroConfluent ? registry.client : nil
    let text = try values(schemas)
    let fetching = schemas.map { SchemaFetching.start($0, logger: Logger(label: "headrace")) }
    defer { fetching?.cancel() }
    let thread = try BlockingThread(name: "consume")
    let status = try await thread.run { try Consumption(plan, client, text).run() }
    guard status == .success else { throw Ended(status: status) }
  }
}

extension ConsumeCommand {
  /// What turns values into JSON; nil: they are shown as they are.
  private func values(_ schemas: SchemaRegistryClient?) throws -> AvroText? {
    switch format {
    case .any: return nil
    case .avro:
      let file = schema ?? ""
      let schema = try AvroSchema(json: Array(TextFile.read(file).utf8), place: file)
      return AvroText(.avro, schema: schema, schemas: NoWriterSchemas())
    case .avroConfluent: return AvroText(.avroConfluent, schema: nil, schemas: schemas ?? NoWriterSchemas())
    }
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
