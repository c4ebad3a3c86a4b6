internal import ArgumentParser
internal import Contracts
internal import Core
internal import Kafka

struct PublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Publish files of events to a topic.",
    discussion: """
      Files are JSON Lines or CSV, also packed with gzip or Zstandard; `-` is stdin. They are published in the order \
      given, one record a line; blank lines are left out. Of a CSV file the first row names the fields, and every \
      other row becomes a JSON object: cells that are JSON numbers become numbers, empty ones null, all others strings.

      A topic that does not exist is made, and keeps its records for ever (retention.ms=-1). A topic that would \
      delete what is published is warned about.

      The result (what was acknowledged, by partition) goes to stdout. \(ExitStatus.help)
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, csv }
  enum ErrorPolicy: String, ExpressibleByArgument, CaseIterable { case stop, skip }

  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  @Argument(help: "The topic to publish to.", transform: TopicName.parse) var topic: String

  @Argument(help: ArgumentHelp("Files to publish; - is stdin.", valueName: "file")) var files: [String]

  @Option(help: "jsonl or csv. Default: csv for names that end in .csv (or .csv.gz, .csv.zst), else jsonl.")
  var format: Format?

  @Option(
    help: ArgumentHelp(
      "The field whose value is the record's key: text as it is, others as JSON. Nested fields: plane.seats.",
      valueName: "field"),
    transform: { try FieldPath($0) })
  var key: FieldPath?

  @Option(
    help: ArgumentHelp(
      "The field with the event's time, which becomes the record's timestamp: epoch time or RFC 3339.",
      valueName: "field"),
    transform: { try FieldPath($0) })
  var eventTime: FieldPath?

  @Option(help: "What an event time that is a number counts: s, ms, us or ns.")
  var eventTimeUnit = EventTimeUnit(unit: .milliseconds)

  @Option(help: ArgumentHelp("Not faster than this, such as 500/s, 20k/s.", valueName: "n/s")) var rate: PublishRate?

  @Option(
    help: ArgumentHelp("Replay: as fast as the event times run, times this, such as 1x, 60x.", valueName: "factor"))
  var speed: ReplaySpeed?

  @Option(help: "How many partitions a topic that is made gets. Default: 1.") var partitions: Int32?

  @Option(help: "Where a key belongs: murmur2 (as Java's clients) or crc32 (as librdkafka's).")
  var partitioner = PartitionerName(partitioner: .murmur2)

  @Option(help: "none, gzip, snappy, lz4 or zstd.") var compression = CompressionName(compression: .lz4)

  @Option(help: "What a line that cannot be published does: stop, or skip it and go on.")
  var onError = ErrorPolicy.stop

  @Option(help: "How the result is printed: table or json.") var output = OutputFormat.table

  func validate() throws {
    if rate != nil && speed != nil { throw ValidationError("--rate and --speed exclude each other") }
    if speed != nil && eventTime == nil { throw ValidationError("--speed replays by event time: give --event-time") }
    if let partitions, partitions < 1 { throw ValidationError("--partitions \(partitions): expected at least 1") }
    if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("stdin (-) can be published once") }
  }

  func run() async throws {
    let plan = Publication.Plan(
      topic: topic, files: files, format: format, key: key, eventTime: eventTime, eventTimeUnit: eventTimeUnit.unit,
      pace: rate?.pace ?? speed?.pace ?? .unlimited, partitionCount: partitions, partitioner: partitioner.partitioner,
      compression: compression.compression, skipsFaults: onError == .skip, output: output)
    let client = try connection.clientConfiguration()
    // Before the topic is made.
    for file in files { try InputFile.check(file) }
    let stop = try TerminationSignal.watch()
    let target = try await PublishTarget.prepare(plan, Admin(client))
    let thread = try BlockingThread(name: "publish")
    let status = try await thread.run { try Publication(plan, target, client, stop).run() }
    guard status == .success else { throw Ended(status: status) }
  }
}

/// `500/s`, `20k/s`, `1.5M/s`, or the number alone.
struct PublishRate: ExpressibleByArgument, Equatable {
  var recordsPerSecond: Double

  init?(argument: String) {
    var text = argument[...]
    if text.hasSuffix("/s") { text.removeLast(2) }
    var factor = 1.0
    if let last = text.last, let scale = ["k": 1e3, "M": 1e6][last] {
      factor = scale
      text.removeLast()
    }
    guard let number = Double(text), number * factor > 0, (number * factor).isFinite else { return nil }
    recordsPerSecond = number * factor
  }

  var pace: Pacer.Pace { .rate(recordsPerSecond: recordsPerSecond) }
}

/// `60x`, or the number alone.
struct ReplaySpeed: ExpressibleByArgument, Equatable {
  var factor: Double

  init?(argument: String) {
    let text = argument.hasSuffix("x") ? argument.dropLast() : argument[...]
    guard let number = Double(text), number > 0, number.isFinite else { return nil }
    factor = number
  }

  var pace: Pacer.Pace { .replay(speed: factor) }
}

struct EventTimeUnit: ExpressibleByArgument {
  var unit: EventTime.Unit
  static var allValueStrings: [String] { EventTime.Unit.allCases.map(\.rawValue) }
  var defaultValueDescription: String { unit.rawValue }

  init(unit: EventTime.Unit) { self.unit = unit }

  init?(argument: String) {
    guard let unit = EventTime.Unit(rawValue: argument == "µs" ? "us" : argument) else { return nil }
    self.unit = unit
  }
}

struct PartitionerName: ExpressibleByArgument {
  var partitioner: Partitioner
  static var allValueStrings: [String] { Partitioner.allCases.map(\.rawValue) }
  var defaultValueDescription: String { partitioner.rawValue }

  init(partitioner: Partitioner) { self.partitioner = partitioner }

  init?(argument: String) {
    guard let partitioner = Partitioner(rawValue: argument) else { return nil }
    self.partitioner = partitioner
  }
}

struct CompressionName: ExpressibleByArgument {
  var compression: ProducerConfiguration.Compression
  static var allValueStrings: [String] { ProducerConfiguration.Compression.allCases.map(\.rawValue) }
  var defaultValueDescription: String { compression.rawValue }

  init(compression: ProducerConfiguration.Compression) { self.compression = compression }

  init?(argument: String) {
    guard let compression = ProducerConfiguration.Compression(rawValue: argument) else { return nil }
    self.compression = compression
  }
}
