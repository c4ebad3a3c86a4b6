internal import Contracts
internal import Core
internal import Kafka

/// One run of `publish`: reads, places, sends and waits for what the broker says. Lives on one thread that may block.
final class Publication {
  struct Plan: Sendable {
    var topic: String
    var files: [String]
    var format: PublishCommand.Format?
    var key: FieldPath?
    var eventTime: FieldPath?
    var eventTimeUnit: EventTime.Unit
    var pace: Pacer.Pace
    var partitionCount: Int32?
    var partitioner: Partitioner
    var compression: ProducerConfiguration.Compression
    var skipsFaults: Bool
    var output: OutputFormat
  }

  /// Records that may wait for the broker: enough to keep it busy, few enough to stop soon.
  static let outstandingMax = 100_000
  /// How many lines of failed records are shown; the others are counted.
  static let failuresShownMax = 20

  let plan: Plan
  let stop: StopRequest
  let producer: Producer
  var fields: EventFields
  var pacer: Pacer
  var retention: RetentionCheck
  var receipt = Receipt()
  var origins = Origins()
  var batch: ProduceBatch
  var batchLines: [Int] = []
  /// The key of the record that is being made.
  var keyText: [UInt8] = []
  var oldestMilliseconds: Int64?
  var failuresShown = 0
  /// Why nothing more is read.
  var end: ExitStatus?
  let progress: PublishProgress
  private let startMilliseconds = WallClock.monotonic.nowMilliseconds

  init(_ plan: Plan, _ target: PublishTarget, _ client: ClientConfiguration, _ stop: StopRequest) throws {
    self.plan = plan
    self.stop = stop
    var configuration = ProducerConfiguration(client: client)
    configuration.compression = plan.compression
    configuration.partitioner = plan.partitioner
    producer = try Producer(configuration)
    fields = try EventFields(key: plan.key, time: plan.eventTime, unit: plan.eventTimeUnit)
    pacer = Pacer(plan.pace)
    retention = RetentionCheck(topic: plan.topic, settings: target.settings, partitionCount: target.partitionCount)
    batch = ProduceBatch(topic: plan.topic, partitioner: plan.partitioner, partitionCount: target.partitionCount)
    progress = PublishProgress(files: plan.files)
  }

  func run() throws -> ExitStatus {
    defer { producer.close() }
    warn(retention.warnings(hasKey: plan.key != nil, hasEventTime: plan.eventTime != nil))
    var failure: (any Error)?
    do {
      for file in plan.files where end == nil { try publish(file) }
      try send(from: plan.files.last ?? "")
    } catch {
      failure = error
    }
    // What is sent is waited for, however the reading ended.
    try drain()
    progress.clear()
    try report()
    if let failure {
      guard receipt.failed > 0 else { throw failure }
      StandardError.write("error: \(failure)")
    }
    if receipt.failed > 0 { return .partial }
    return end ?? .success
  }

  private func publish(_ path: String) throws {
    var input = try InputFile(path: path)
    var framing = Self.framing(plan.format ?? Self.format(of: path))
    var (buffer, documents) = ([UInt8](), DocumentBatch())
    var isFinal = false
    while end == nil && !isFinal {
      isFinal = try !input.read(into: &buffer)
      do throws(HeadraceError) {
        try framing.frame(&buffer, isFinal: isFinal, into: &documents)
      } catch {
        throw error.at(input.name)
      }
      try fields.read(documents)
      progress.didRead(upTo: input.readBytes, documents: documents.count, file: input.name)
      try publish(documents, of: input.name)
      // Lines are only known together with their file.
      try send(from: input.name)
    }
    progress.didFinish(sizeBytes: input.sizeBytes)
  }

  private static func framing(_ format: PublishCommand.Format) -> any DocumentFraming {
    switch format {
    case .jsonl: LineFraming()
    case .csv: CSVFraming()
    }
  }

  private static func format(of path: String) -> PublishCommand.Format {
    var name = path.lowercased()[...]
    for suffix in [".gz", ".gzip", ".zst", ".zstd"] where name.hasSuffix(suffix) { name = name.dropLast(suffix.count) }
    return name.hasSuffix(".csv") ? .csv : .jsonl
  }

  private func report() throws {
    let milliseconds = WallClock.monotonic.nowMilliseconds - startMilliseconds
    do {
      switch plan.output {
      case .table where receipt.acknowledged > 0:
        try StandardOutput.writeAll(Array(receipt.table(topic: plan.topic).utf8))
      case .table: break
      case .json: try StandardOutput.writeAll(receipt.json(topic: plan.topic, milliseconds: milliseconds))
      }
    } catch is StandardOutput.Closed {
      // Nobody reads the receipt; the summary below still says how it went.
    }
    if failuresShown > Self.failuresShownMax {
      StandardError.write("error: \(Figures.grouped(failuresShown - Self.failuresShownMax)) more were not acknowledged")
    }
    StandardError.write(receipt.summary(topic: plan.topic, milliseconds: milliseconds))
  }

  func warn(_ warnings: [String]) {
    guard !warnings.isEmpty else { return }
    progress.clear()
    for warning in warnings { StandardError.write("warning: \(warning)") }
  }
}
